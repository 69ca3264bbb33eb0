/** The page where there is none. */

import { themeButton } from "./theme.js";

themeButton(document.querySelector("#theme"));
