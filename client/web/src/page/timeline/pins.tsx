/** Notes as pins on the timeline, where they were written. */

import { useReading, useStudio } from "../state/studio.ts";
import { Icon } from "../parts/icons.tsx";
import { ROW_PX, quarters } from "./geometry.ts";

export function Pins() {
  const { ui } = useStudio();
  const { view } = useReading();
  const rows = new Map(view.tracks.map((track, index) => [track.id, index]));
  const heads = view.notes.filter((note) => note.parent === null && !note.resolved && !note.deleted);
  return (
    <div class="pins">
      {heads.map((note) => (
        <button key={note.id} type="button" class="pin" aria-label={`Note: ${note.body.slice(0, 60)}`} title={note.body} data-testid="note-pin"
          style={{ "--at": quarters(note.tick), "--top": `${(rows.get(note.track ?? "") ?? 0) * ROW_PX}px` }} onClick={() => ui.set({ panel: "notes", thread: note.id })}>
          <Icon name="note" />
        </button>
      ))}
    </div>
  );
}
