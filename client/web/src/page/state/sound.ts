/** What plays on this page: made with the open project, and let go with it. */

import { useEffect, useState } from "preact/hooks";
import type { Api } from "../../client/api.ts";
import type { Session } from "../../client/session.ts";
import { transport } from "../../client/valid.ts";
import { Control, controlUrl } from "../../transport/control.ts";
import { Deck, type Stage } from "../../transport/deck.ts";
import { Metronome } from "../../transport/metronome.ts";
import { documentTime, type Time, type Transport } from "../../transport/state.ts";

export interface Sound { readonly session: Session; readonly deck: Deck; readonly metronome: Metronome }

/** One's own transport is shown as presence; so are those of the others. */
function stageOf({ presence }: Session): Stage {
  return {
    show: (state) => {
      const before = presence.mine.transport;
      if (state === null ? before !== null : state.seq !== before?.["seq"]) presence.set({ transport: state === null ? null : { ...state } });
    },
    shown: (user) => {
      const shown = presence.others().find((peer) => peer.user.id === user && peer.transport)?.transport;
      return isTransport(shown) ? shown : null;
    },
    subscribe: (listener) => presence.subscribe(listener),
  };
}

function isTransport(shown: unknown): shown is Transport {
  if (typeof shown !== "object" || shown === null) return false;
  const { mode, t0, pos0, rate, loop, seq } = shown as Partial<Transport>;
  const numbers = [t0, pos0, rate, seq, ...(Array.isArray(loop) ? loop : [NaN])];
  return (mode === "playing" || mode === "counting_in" || mode === "stopped") && numbers.every(Number.isFinite) && (rate as number) > 0 && (loop?.[1] as number) < (loop?.[2] as number);
}

const REFUSED = "You may not play and stop for everybody any more. What you play now is for you alone.";

function make(session: Session, api: Api, project: string, say: (sentence: string) => void): Sound {
  const control = new Control({ refused: () => say(REFUSED), url: async () => api.ticket(project).then(({ ws_url, ticket }) => controlUrl(ws_url, ticket)) });
  let known: { readonly document: object; readonly time: Time } | null = null;
  const time = (): Time => {
    const document = session.mirror.current;
    if (known?.document !== document) known = { document, time: documentTime(document) };
    return known.time;
  };
  const deck = new Deck({ control, stage: stageOf(session), time, loop: () => transport(session.mirror.current, "loop") });
  return { session, deck, metronome: new Metronome(deck) };
}

export function useSound(session: Session | null, api: Api, project: string, say: (sentence: string) => void): Sound | null {
  const [sound, setSound] = useState<Sound | null>(null);
  useEffect(() => {
    if (session === null) return;
    const made = make(session, api, project, say);
    const stop = session.mirror.subscribe(() => made.deck.edited());
    setSound(made);
    return () => {
      stop();
      made.metronome.close();
      made.deck.close();
    };
  }, [session]);
  return sound?.session === session ? sound : null;
}
