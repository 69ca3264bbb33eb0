/** What can go wrong between a client and its server. */

/** What the server refused, or the connection lost; `temporary` says that the same request may succeed later. */
export class ScoreboardError extends Error {
  constructor({ code, title, detail, temporary = false, result }) {
    super(detail || title);
    Object.assign(this, { name: "ScoreboardError", code, title, temporary, result });
  }
}

export const lost = () =>
  new ScoreboardError({ code: "disconnected", title: "The connection was lost", temporary: true });

export const late = () =>
  new ScoreboardError({ code: "timeout", title: "The server did not answer in time", temporary: true });
