/** Saved, saving or offline: never more than what the database has confirmed. */

import { mayEdit } from "../../client/api.ts";
import { useChanges, useStore } from "../state/store.ts";
import { useStudio } from "../state/studio.ts";

const WORDS = {
  saved: ["Saved", "Every edit of yours is in the database."],
  saving: ["Saving…", "Your newest edits are on their way to the database."],
  offline: ["Offline", "Your edits are kept on this device and will be merged when the connection is back."],
  over: ["Offline", "This page is not connected any more: what was not saved stays on this device."],
  live: ["Live", "You see every edit as it happens."],
} as const;

export function SavedLight() {
  const { session, about } = useStudio();
  const { project, over } = useStore(about);
  useChanges(session.saved);
  const { light } = session.saved;
  const shown = over !== null ? "offline" : light !== "offline" && !mayEdit(project.role) ? "live" : light;
  const [word, meaning] = WORDS[over !== null ? "over" : shown];
  return (
    <span class={`light light--${shown}`} role="status" title={meaning} data-testid="saved-light" data-state={shown}>
      <i class="light__lamp" aria-hidden="true" />{word}
    </span>
  );
}
