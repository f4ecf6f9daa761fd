/** Everything the parts of the page share about one open project. */

import { createContext } from "preact";
import { useContext, useMemo } from "preact/hooks";
import type { Api, Member, Options, Person, Project, Restriction } from "../../client/api.ts";
import type { Merged } from "../../client/merged.ts";
import { Meter } from "../../client/meter.ts";
import type { Canonical } from "../../client/schema.ts";
import type { Session } from "../../client/session.ts";
import { TempoMap } from "../../client/tempo.ts";
import { view, type ClipView, type View } from "../../client/view.ts";
import type { Call } from "../../voice/call.ts";
import type { Sound } from "./sound.ts";
import type { Store } from "./store.ts";
import { useChanges, useStore } from "./store.ts";
import type { Ui } from "./ui.ts";

/** `restriction`: what oneself may change as an editor, if not everything. `options`: null until they were asked for. */
export interface ProjectState { readonly project: Project; readonly restriction: Restriction | null; readonly members: readonly Member[]; readonly options: Options | null; readonly over: string | null; readonly draft: string | null; readonly merged: Merged | null }

export interface Studio {
  readonly api: Api;
  readonly me: Person;
  readonly session: Session;
  readonly sound: Sound;
  readonly call: Call;
  readonly ui: Store<Ui>;
  readonly about: Store<ProjectState>;
}

export interface Reading { readonly document: Canonical; readonly view: View; readonly byTrack: ReadonlyMap<string, readonly ClipView[]>; readonly byId: ReadonlyMap<string, ClipView>; readonly meter: Meter; readonly tempo: TempoMap }

export const StudioContext = createContext<Studio | null>(null);

export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (studio === null) throw new Error("used outside of a studio");
  return studio;
}

export const useUi = (): Ui => useStore(useStudio().ui);

const readings = new WeakMap<Canonical, Reading>();

/** The document as it is now; many readers share one reading. */
export function reading(session: Session): Reading {
  const document = session.mirror.current;
  const known = readings.get(document);
  if (known !== undefined) return known;
  const seen = view(document);
  const byTrack = Map.groupBy(seen.clips, (clip) => clip.track);
  const byId = new Map(seen.clips.map((clip) => [clip.id, clip]));
  const fresh = { document, view: seen, byTrack, byId, meter: Meter.of(document), tempo: TempoMap.of(document) };
  readings.set(document, fresh);
  return fresh;
}

export function useReading(): Reading {
  const { session } = useStudio();
  useChanges(session.mirror);
  return reading(session);
}

/** Names by user id: members, people here now, and oneself. */
export function usePeople(): ReadonlyMap<string, Person> {
  const { about, session, me } = useStudio();
  const { members } = useStore(about);
  return useMemo(() => {
    const here = session.presence.others().map((peer) => peer.user);
    return new Map([...here, ...members.map((member) => member.user), me].map((person) => [person.id, person]));
  }, [members, session, me]);
}
