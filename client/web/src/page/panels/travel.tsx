/** Back in time: scrub to what somebody did, see in a musician's words what is different now, and bring it back. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { mayEdit, type Difference, type Moment, type MomentFilter, type Page, type Undone } from "../../client/api.ts";
import type { Pages } from "../../client/pages.ts";
import { ago } from "../parts/ago.ts";
import { Button } from "../parts/button.tsx";
import { notice } from "../state/actions.ts";
import { useAgain, usePages } from "../state/pages.ts";
import { refused } from "../state/options.ts";
import { leftWords, useWhyNotAction } from "../state/rights.ts";
import { useStore } from "../state/store.ts";
import { usePeople, useReading, useStudio } from "../state/studio.ts";
import { Differences } from "./differences.tsx";

const SCRUB_MS = 150;

/** The timeline, the newest first; read again when something was saved. */
function useMoments(filter: MomentFilter): Pages<Moment> {
  const { api, about } = useStudio();
  const project = about.value.project.id;
  const moments = usePages((cursor) => api.moments(project, filter, cursor), nameOf, [project, filter]);
  useAgain(() => void moments.look());
  return moments;
}

type Found = Page<Difference> | string;

/** What differs now from the document after a row, its first page; null until it is known. */
function useDifferences(row: number, filter: MomentFilter): Found | null {
  const { api, about } = useStudio();
  const project = about.value.project.id;
  const [found, setFound] = useState<{ readonly about: object; readonly what: Found } | null>(null);
  const here = useMemo(() => ({}), [project, row, filter]);
  const [asked, shown] = [useRef(0), useRef(0)];
  const look = (): void => {
    const number = ++asked.current;
    const show = (what: Found): void => {
      if (number < shown.current) return;
      shown.current = number;
      setFound((known) => (known?.about === here && JSON.stringify(known.what) === JSON.stringify(what) ? known : { about: here, what }));
    };
    api.compareMoment(project, row, filter).then(show, (error: Error) => show(error.message));
  };
  useEffect(() => {
    const timer = setTimeout(look, SCRUB_MS);
    return () => clearTimeout(timer);
  }, [here]);
  useAgain(look);
  return found?.about === here ? found.what : null;
}

export function TimeTravel() {
  const [filter, setFilter] = useState<MomentFilter>({});
  const { items: moments, more, problem } = useMoments(filter);
  const [chosen, setChosen] = useState<string | null>(null);
  const kept = moments.filter((moment) => moment.kept);
  const place = Math.max(0, kept.findIndex((moment) => nameOf(moment) === chosen));
  const moment = kept[place];
  const nameAt = (at: number): string | null => kept.slice(at, at + 1).map(nameOf)[0] ?? null;
  return (
    <section class="travel" aria-label="Back in time" data-testid="travel">
      <h3 class="side__section">Back in time</h3>
      <Filters filter={filter} onChange={setFilter} />
      {problem !== null && <p class="problem" role="alert">{problem}</p>}
      {moment === undefined ? <p class="side__empty">Nothing happened there that could come back.</p> : (
        <>
          <input class="travel__scrubber" type="range" aria-label="Moment" aria-valuetext={spoken(moment)} min={0} max={kept.length - 1} step={1}
            value={kept.length - 1 - place} onInput={(event) => setChosen(nameAt(kept.length - 1 - event.currentTarget.valueAsNumber))} data-testid="scrubber" />
          <p class="travel__moment" data-testid="moment" data-origin={moment.origin}>{spoken(moment)}<br /><span class="version__by">{moment.text}</span></p>
          <Then key={nameOf(moment)} moment={moment} filter={filter} />
        </>
      )}
      {more !== null && <Button kind="quiet" onClick={more} testid="travel-more">Further back</Button>}
    </section>
  );
}

/** What stays the same while somebody goes on. */
const nameOf = (moment: Moment): string => `${moment.first_seq} ${moment.author?.id} ${moment.origin}`;

const spoken = (moment: Moment): string => `After ${moment.author?.name ?? "Backline"}, ${ago(moment.at)}`;

/** What a version of it is called. */
const titled = (moment: Moment): string => `${new Date(moment.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}, after ${(moment.author?.name ?? "Backline").slice(0, 40)}`;

interface FiltersProps { readonly filter: MomentFilter; readonly onChange: (filter: MomentFilter) => void }

function Filters({ filter, onChange }: FiltersProps) {
  const people = usePeople();
  const { view } = useReading();
  const chosen = (value: string): string | undefined => (value === "" ? undefined : value);
  return (
    <div class="travel__filters">
      <select class="select" aria-label="Whose changes" value={filter.person ?? ""} onChange={(event) => onChange({ ...filter, person: chosen(event.currentTarget.value) })} data-testid="travel-person">
        <option value="">Everybody</option>
        {[...people.values()].map((person) => <option key={person.id} value={person.id}>{person.name}</option>)}
      </select>
      <select class="select" aria-label="On which track" value={filter.track ?? ""} onChange={(event) => onChange({ ...filter, track: chosen(event.currentTarget.value) })} data-testid="travel-track">
        <option value="">The whole song</option>
        {view.tracks.map((track) => <option key={track.id} value={track.id}>{track.name}</option>)}
      </select>
      <input class="text" type="datetime-local" aria-label="Until when" onChange={(event) => onChange({ ...filter, to: event.currentTarget.value === "" ? undefined : new Date(event.currentTarget.value).toISOString() })} data-testid="travel-until" />
    </div>
  );
}

function Then({ moment, filter }: { readonly moment: Moment; readonly filter: MomentFilter }) {
  const studio = useStudio();
  const { api, about, session } = studio;
  const { project } = useStore(about);
  const { view } = useReading();
  const [step, setStep] = useState<number | null>(null);
  const row = step ?? moment.seq;
  const differences = useDifferences(row, filter);
  const why = useWhyNotAction("restore");
  const failed = (error: Error): void => refused(studio, error);
  const done = <T,>(request: Promise<T>, words: (answer: T) => string): void => void request.then((answer) => notice(studio, words(answer)), failed);
  const back = (track?: string): void => done(api.restoreMoment(project.id, row, track), (answer) => (answer.changes === 0 ? "It is as it was." : "It is as it was then. A version of what was there before has been kept.") + leftWords(studio, answer));
  const keep = (): void => done(api.createSnapshot(project.id, titled(moment), row), ({ name }) => `Kept as “${name}”.`);
  const undo = (person: string): void => done(api.undoChange(project.id, person, moment.first_seq, moment.seq), undoneWords);
  const { author } = moment;
  const track = view.tracks.find(({ id }) => id === filter.track);
  return (
    <>
      {moment.first_seq < moment.seq && (
        <input class="travel__scrubber" type="range" aria-label="Step within it" aria-valuetext={`${row - moment.first_seq + 1} of ${moment.seq - moment.first_seq + 1}`}
          min={moment.first_seq} max={moment.seq} step={1} value={row} onInput={(event) => setStep(event.currentTarget.valueAsNumber)} data-testid="scrubber-fine" />
      )}
      {mayEdit(session.role) && (
        <div class="travel__actions">
          <Button kind="quiet" why={why} onClick={() => back()} testid="travel-restore">Restore all</Button>
          {track !== undefined && <Button kind="quiet" why={why} onClick={() => back(track.id)} testid="travel-restore-track">Restore “{track.name}”</Button>}
          <Button kind="quiet" onClick={keep} testid="travel-keep">Keep as a version</Button>
          {author !== null && moment.origin === "edit" && <Button kind="quiet" why={why} onClick={() => undo(author.id)} testid="travel-undo">Take back what {author.name} did</Button>}
        </div>
      )}
      {typeof differences === "string" && <p class="problem" role="alert">{differences}</p>}
      {differences !== null && typeof differences !== "string" && (
        <Differences first={differences} more={(cursor) => api.compareMoment(project.id, row, filter, cursor)} onProblem={failed} testid="travel-differences" />
      )}
    </>
  );
}

function undoneWords({ changes, skipped }: Undone): string {
  const left = skipped.map(({ text, by }) => (by === null ? text : `${text} (${by.name})`)).join(", ");
  if (left === "") return changes === 0 ? "There is nothing left to take back." : "Taken back. A version of what was there before has been kept.";
  return `${changes === 0 ? "Nothing was taken back" : "Taken back"}; left as it is, because it has changed since: ${left}.`;
}
