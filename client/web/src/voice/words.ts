/** What went wrong with voice, in words for whoever wanted to talk. */

export type Ending = "removed" | "closed" | "elsewhere" | "lost";

export type Reason = "unreachable" | "refused" | "silent" | "unsupported";

/** The voice server did not take us in. */
export class NoLine extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, cause?: unknown) {
    super(REASONS[reason], { cause });
    this.name = "NoLine";
    this.reason = reason;
  }
}

const REASONS: Readonly<Record<Reason, string>> = {
  unreachable: "The voice server cannot be reached right now. Everything else goes on; try again in a moment.",
  refused: "The voice server did not let you in: the room may be full. Try again in a moment.",
  silent: "The voice server was reached, but no sound gets through. A firewall may be in the way.",
  unsupported: "This browser cannot carry voices. Try a newer one.",
};

const ENDINGS: Readonly<Record<Ending, string>> = {
  removed: "You were removed from the voice room.",
  closed: "The voice room was ended.",
  elsewhere: "You joined voice somewhere else, so it ended here.",
  lost: "The connection to the voice room was lost.",
};

const HEARING = "You hear the others, they do not hear you.";

const MICROPHONES: Readonly<Record<string, string>> = {
  NotAllowedError: `Your browser was told not to use the microphone. ${HEARING} Allow it for this page, then unmute yourself.`,
  NotFoundError: `There is no microphone. ${HEARING} Plug one in, then unmute yourself.`,
  NotReadableError: `The microphone cannot be used: another program may have it. ${HEARING}`,
  SecurityError: `Browsers lend the microphone only to pages that come by https. ${HEARING}`,
};

export const endingWords = (ending: Ending): string => ENDINGS[ending];

/** Why there is no connection; what our own server said comes in its words. */
export const joiningWords = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Why nobody hears us, by the name of the browser's error. */
export function microphoneWords(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  return MICROPHONES[name] ?? `Your voice could not be sent. ${HEARING}`;
}
