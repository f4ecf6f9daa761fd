/** Every command with its keys: the keyboard and the list of shortcuts read the same table. */

import * as act from "./actions.ts";
import { select } from "./select.ts";
import { reading, type Studio } from "./studio.ts";

export interface Command { readonly keys: readonly string[]; readonly label: string; readonly group: "Play" | "Edit" | "Clips" | "Timeline" | "View"; readonly run: (studio: Studio) => void }

export const COMMANDS: readonly Command[] = [
  { group: "Play", keys: [" "], label: "Play or stop", run: ({ sound }) => sound.deck.toggle() },
  { group: "Play", keys: ["Home"], label: "Go to the beginning", run: ({ sound }) => sound.deck.seek(0) },
  { group: "Play", keys: ["G"], label: "Go to the edit cursor", run: ({ sound, ui }) => sound.deck.seek(ui.value.place.tick) },
  { group: "Edit", keys: ["Ctrl+Z"], label: "Undo my last edit", run: ({ session }) => session.canEdit && session.undo.undo() },
  { group: "Edit", keys: ["Shift+Ctrl+Z", "Ctrl+Y"], label: "Redo", run: ({ session }) => session.canEdit && session.undo.redo() },
  { group: "Edit", keys: ["T"], label: "Add a track", run: act.addTrack },
  { group: "Edit", keys: ["A"], label: "Add a clip at the cursor", run: (studio) => act.addClip(studio) },
  { group: "Edit", keys: ["M"], label: "Add a marker", run: act.addMarker },
  { group: "Edit", keys: ["N"], label: "Write a note", run: act.startNote },
  { group: "Clips", keys: ["ArrowLeft"], label: "Move earlier", run: (studio) => act.nudge(studio, -1) },
  { group: "Clips", keys: ["ArrowRight"], label: "Move later", run: (studio) => act.nudge(studio, 1) },
  { group: "Clips", keys: ["ArrowUp"], label: "Move to the track above", run: (studio) => act.nudgeTrack(studio, -1) },
  { group: "Clips", keys: ["ArrowDown"], label: "Move to the track below", run: (studio) => act.nudgeTrack(studio, 1) },
  { group: "Clips", keys: ["Shift+ArrowLeft"], label: "Trim the end shorter", run: (studio) => act.trimSelected(studio, "right", -1) },
  { group: "Clips", keys: ["Shift+ArrowRight"], label: "Trim the end longer", run: (studio) => act.trimSelected(studio, "right", 1) },
  { group: "Clips", keys: ["Alt+ArrowLeft"], label: "Start earlier", run: (studio) => act.trimSelected(studio, "left", -1) },
  { group: "Clips", keys: ["Alt+ArrowRight"], label: "Start later", run: (studio) => act.trimSelected(studio, "left", 1) },
  { group: "Clips", keys: ["S"], label: "Split", run: act.splitSelected },
  { group: "Clips", keys: ["Ctrl+D"], label: "Copy behind itself", run: act.duplicateSelected },
  { group: "Clips", keys: ["Delete", "Backspace"], label: "Delete", run: act.deleteSelected },
  { group: "Clips", keys: ["F2"], label: "Rename", run: act.startNaming },
  { group: "Timeline", keys: ["J"], label: "Next clip", run: (studio) => act.stepSelection(studio, 1) },
  { group: "Timeline", keys: ["K"], label: "Previous clip", run: (studio) => act.stepSelection(studio, -1) },
  { group: "Timeline", keys: ["Ctrl+A"], label: "Select all clips", run: (studio) => select(studio, reading(studio.session).view.clips.map((clip) => clip.id)) },
  { group: "Timeline", keys: ["Escape"], label: "Select nothing", run: (studio) => select(studio, []) },
  { group: "Timeline", keys: ["L"], label: "Loop on or off", run: act.toggleLoop },
  { group: "Timeline", keys: ["Shift+L"], label: "Loop the selection", run: act.loopSelection },
  { group: "View", keys: ["+", "="], label: "Zoom in", run: (studio) => act.zoom(studio, 1.25) },
  { group: "View", keys: ["-"], label: "Zoom out", run: (studio) => act.zoom(studio, 0.8) },
  { group: "View", keys: ["?"], label: "Show shortcuts", run: ({ ui }) => ui.set({ dialog: "shortcuts" }) },
];

const SHIFT_MADE = new Set(["?", "+"]);

/** The key as the table spells it; the command key of a Mac counts as Ctrl. */
export function spelled(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">): string {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const parts = [event.altKey && "Alt", event.shiftKey && !SHIFT_MADE.has(key) && "Shift", (event.ctrlKey || event.metaKey) && "Ctrl", key];
  return parts.filter(Boolean).join("+");
}

export const commandFor = (event: KeyboardEvent): Command | undefined => {
  const keys = spelled(event);
  return COMMANDS.find((command) => command.keys.includes(keys));
};
