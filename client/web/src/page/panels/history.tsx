/** What happened in the project, and the versions one can go back to. */

import type { Change } from "../../client/api.ts";
import { ago } from "../parts/ago.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Button } from "../parts/button.tsx";
import { useOptions } from "../state/options.ts";
import { useAgain, usePages } from "../state/pages.ts";
import { useReading, useStudio } from "../state/studio.ts";
import { Snapshots } from "./snapshots.tsx";
import { TimeTravel } from "./travel.tsx";
import { changedWords } from "./words.ts";

const ORIGINS: { readonly [origin: string]: string } = { repair: "Repair", restore: "Restore", seed: "Created the project", fork: "Fork" };
/** The server notes who wrote something and when: true of every note, news to nobody. */
const isStamp = (change: Change): boolean => change.origin === "repair" && change.paths.every((path) => /\/(at|by|author)$/.test(path));
const SERVER = { name: "Backline", color: "#5b6470" };
const nameOf = ({ seq, origin, author }: Change): string => `${seq} ${origin} ${author?.id}`;

export function History() {
  const { api, about } = useStudio();
  const { document } = useReading();
  const project = about.value.project.id;
  const pages = usePages((cursor) => api.history(project, cursor), nameOf, [project]);
  const { items: changes, more, problem } = pages;
  useAgain(() => void pages.look());
  useOptions();
  return (
    <div class="side__body">
      <Snapshots />
      <TimeTravel />
      <h3 class="side__section">Changes</h3>
      {problem !== null && <p class="problem" role="alert">{problem}</p>}
      {changes.length === 0 && problem === null && <p class="side__empty">Every change appears here with its author.</p>}
      <ol class="changes" data-testid="changes">
        {changes.filter((change) => !isStamp(change)).map((change) => (
          <li key={nameOf(change)} class="change" data-testid="change">
            <Avatar person={change.author ?? SERVER} />
            <div>
              <div class="change__who">{change.author?.name ?? SERVER.name}{ORIGINS[change.origin] !== undefined && <span class="change__origin">{ORIGINS[change.origin]}</span>}<time class="change__at" dateTime={change.at}>{ago(change.at)}</time></div>
              <ul class="change__what">{changedWords(document, change.paths).map((words) => <li key={words}>{words}</li>)}</ul>
            </div>
          </li>
        ))}
      </ol>
      {more !== null && <Button kind="quiet" onClick={more} testid="changes-more">Earlier changes</Button>}
    </div>
  );
}
