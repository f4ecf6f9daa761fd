/** Keys reach commands unless somebody is typing or a dialog, menu or slider wants them. */

import { useEffect } from "preact/hooks";
import { commandFor } from "./commands.ts";
import type { Studio } from "./studio.ts";

const TYPING = "input:not([type=range]), textarea, [contenteditable], dialog, [role=menu], [data-own-keys]";
/** What the space bar presses is pressed, and nothing plays; a clip is pressed by Enter alone. */
const PRESSED = "button, a, summary, select, [role=button]:not([data-clip])";
/** They need the plain keys, but have no undo of their own. */
const TURNING = "input[type=range], select";

function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || !(event.target instanceof Element)) return event.defaultPrevented;
  if (document.querySelector("dialog:modal") !== null) return true; // also when what had the focus in it is gone
  const chord = event.ctrlKey || event.metaKey;
  if (event.key === " " && event.target.closest(PRESSED) !== null) return true;
  return event.target.closest(TYPING) !== null || (!chord && event.target.closest(TURNING) !== null);
}

export function useKeyboard(studio: Studio): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTaken(event)) return;
      const command = commandFor(event);
      if (command === undefined) return;
      event.preventDefault();
      command.run(studio);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [studio]);
}
