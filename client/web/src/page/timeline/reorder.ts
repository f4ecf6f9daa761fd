/** Dragging a track by its grip to another row. */

import { createContext } from "preact";
import * as edits from "../../client/edits.ts";
import { ofTrack } from "../../client/rights.ts";
import { allowed } from "../state/rights.ts";
import { reading, type Studio } from "../state/studio.ts";
import { followPointer } from "./drag.ts";

export type StartReorder = (track: string, event: PointerEvent) => void;
export const ReorderContext = createContext<StartReorder>(() => undefined);

/** The track the dragged one would stand behind; null: first. */
function target(root: Element, y: number): { readonly after: string | null; readonly line: number } {
  let found: { after: string | null; line: number } = { after: null, line: 0 };
  for (const row of root.querySelectorAll<HTMLElement>("[data-row]")) {
    const box = row.getBoundingClientRect();
    if (y < box.top + box.height / 2) break;
    found = { after: row.dataset["row"] ?? null, line: row.offsetTop + row.offsetHeight };
  }
  return found;
}

/** `mark` shows where the track would land, in pixels from the first row's container; null hides it. */
export function reorderer(studio: Studio, root: () => Element | null, mark: (line: number | null) => void): StartReorder {
  return (track, press) => {
    const rows = root();
    if (rows === null || press.button !== 0) return;
    press.preventDefault();
    followPointer(press, {
      move: (event) => mark(target(rows, event.clientY).line),
      end: (event, moved) => {
        mark(null);
        const { after } = target(rows, event.clientY);
        const ids = reading(studio.session).view.tracks.map((shown) => shown.id);
        const stays = after === track || ids[ids.indexOf(track) - 1] === (after ?? undefined);
        if (moved && !stays && allowed(studio, ofTrack(track, "order"))) edits.moveTrack(studio.session.pen, track, after);
      },
      cancel: () => mark(null),
    });
  };
}
