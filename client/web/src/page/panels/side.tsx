/** The panel at the right. */

import { IconButton } from "../parts/button.tsx";
import { useStudio } from "../state/studio.ts";
import type { Panel } from "../state/ui.ts";
import { History } from "./history.tsx";
import { Notes } from "./notes.tsx";
import { Trash } from "./trash.tsx";

const TITLES = { notes: "Notes", history: "History", trash: "Trash" } as const;

export function SidePanel({ panel }: { readonly panel: Panel }) {
  const { ui } = useStudio();
  return (
    <aside class="side" aria-label={TITLES[panel]} data-testid={`side-${panel}`}>
      <header class="side__head">
        <h2>{TITLES[panel]}</h2>
        <IconButton icon="close" label={`Close ${TITLES[panel].toLowerCase()}`} onClick={() => ui.set({ panel: null, thread: null })} />
      </header>
      {panel === "notes" && <Notes />}
      {panel === "history" && <History />}
      {panel === "trash" && <Trash />}
    </aside>
  );
}
