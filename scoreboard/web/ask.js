/** A question before something is done that others feel. */

const DAY_MS = 86_400_000;

/**
 * Ask, with room for a reason.
 *
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.text
 * @param {string} question.action
 * @param {boolean} [question.bad]
 * @param {boolean} [question.ban] asks how long, too
 * @param {boolean} [question.reasons] asks for the reason
 * @returns {Promise<{reason: string, until: string | null} | null>} null where it is not to be done
 */
export function ask({ title, text, action, bad = false, ban = false, reasons = true }) {
  const dialog = document.querySelector("#ask");
  const form = dialog.querySelector("form");
  const [yes, no] = form.querySelectorAll(".buttons button");
  form.reset();
  form.querySelector("h2").textContent = title;
  form.querySelector("p").textContent = text;
  form.querySelector(".until").hidden = !ban;
  form.querySelector(".reason").hidden = !reasons;
  yes.textContent = action;
  yes.classList.toggle("bad", bad);
  dialog.showModal();
  return new Promise((resolve) => {
    let answer = null;
    dialog.onclose = () => resolve(answer);
    no.onclick = () => dialog.close();
    form.onkeydown = (event) => {
      if (event.key === "Enter" && event.target.tagName === "TEXTAREA" && !event.shiftKey) {
        event.preventDefault();
        form.requestSubmit();
      }
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      const days = Number(form.elements.days.value);
      const until = ban && days ? new Date(Date.now() + days * DAY_MS).toISOString() : null;
      answer = { reason: form.elements.reason.value.trim(), until };
      dialog.close();
    };
  });
}
