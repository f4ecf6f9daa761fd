/** What the project allows, as far as the page greys out by it. */

import { useEffect } from "preact/hooks";
import { notice } from "./actions.ts";
import { useAgain } from "./pages.ts";
import { refusalWords } from "./rights.ts";
import { useStore } from "./store.ts";
import { useStudio, type Studio } from "./studio.ts";

/** Without an answer what was known is taken to hold: the server has the last word. */
function look({ api, about }: Studio): void {
  void api.options(about.value.project.id).then((options) => about.set({ options }), () => undefined);
}

/** Something was refused, perhaps because the owner has chosen otherwise meanwhile. */
export function refused(studio: Studio, error: Error): void {
  notice(studio, refusalWords(studio, error));
  look(studio);
}

/** Looks now, and again while one works: the owner may choose anew at any time. */
export function useOptions(): void {
  const studio = useStudio();
  const { id, role } = useStore(studio.about).project;
  useEffect(() => look(studio), [id, role]);
  useAgain(() => look(studio));
}
