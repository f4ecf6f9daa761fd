/** Versions: keep one, compare it with now, go back to it, start a new project from it. */

import { useState } from "preact/hooks";
import { mayEdit, type Difference, type Page, type Snapshot } from "../../client/api.ts";
import type { Pages } from "../../client/pages.ts";
import { ago } from "../parts/ago.ts";
import { Button } from "../parts/button.tsx";
import { projectPath } from "../route.ts";
import { notice } from "../state/actions.ts";
import { refused } from "../state/options.ts";
import { usePages } from "../state/pages.ts";
import { leftWords, useWhyNotAction } from "../state/rights.ts";
import { useStore } from "../state/store.ts";
import { useStudio, type Studio } from "../state/studio.ts";
import { Differences } from "./differences.tsx";

export function Snapshots() {
  const studio = useStudio();
  const { api, about, session } = studio;
  const project = about.value.project.id;
  const [name, setName] = useState("");
  const { draft } = useStore(about);
  const named = useSnapshots("named");
  const automatic = useSnapshots("automatic");
  const drafts = useSnapshots("draft", draft);
  const problem = named.problem ?? automatic.problem ?? drafts.problem;
  const keep = (): void => {
    const title = name.trim() || `Version of ${new Date().toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`;
    setName("");
    api.createSnapshot(project, title).then(() => named.look(), (error: Error) => notice(studio, error.message));
  };
  return (
    <section aria-label="Versions">
      <h3 class="side__section">Versions</h3>
      {mayEdit(session.role) && (
        <form class="keep" onSubmit={(event) => { event.preventDefault(); keep(); }}>
          <input class="text" aria-label="Name of the version" placeholder="Name this version" maxLength={80} value={name} onInput={(event) => setName(event.currentTarget.value)} data-testid="version-name" />
          <Button type="submit" onClick={() => undefined} testid="version-keep">Keep</Button>
        </form>
      )}
      {problem !== null && <p class="problem" role="alert">{problem}</p>}
      {drafts.items.length > 0 && <Drafts drafts={drafts} studio={studio} />}
      {named.read && named.items.length === 0 && <p class="side__empty">Keep a version before you try something bold. You can always come back to it.</p>}
      <Versions versions={named} studio={studio} onRestored={() => void automatic.look()} />
      {automatic.items.length > 0 && (
        <section aria-label="Kept automatically" data-testid="automatic">
          <h4 class="side__section">Kept automatically</h4>
          <Versions versions={automatic} studio={studio} onRestored={() => void automatic.look()} />
        </section>
      )}
    </section>
  );
}

/** Each kind by itself: the named ones would be lost among the automatic ones. Read again when `also` is another. */
function useSnapshots(kind: Snapshot["kind"], also: unknown = null): Pages<Snapshot> {
  const { api, about } = useStudio();
  const project = about.value.project.id;
  return usePages((cursor) => api.snapshots(project, kind, cursor), ({ id }) => id, [project, kind, also]);
}

interface VersionsProps { readonly versions: Pages<Snapshot>; readonly studio: Studio; readonly onRestored: () => void }

function Versions({ versions, studio, onRestored }: VersionsProps) {
  return (
    <>
      <ul class="versions">{versions.items.map((version) => <Version key={version.id} version={version} studio={studio} onRestored={onRestored} />)}</ul>
      {versions.more !== null && <Button kind="quiet" onClick={versions.more} testid="versions-more">More versions</Button>}
    </>
  );
}

/** Work that could not be merged: its author alone sees it, and takes what is worth keeping into a project of its own. */
function Drafts({ drafts, studio }: { readonly drafts: Pages<Snapshot>; readonly studio: Studio }) {
  return (
    <section aria-label="Your drafts" data-testid="drafts">
      <h4 class="side__section">Your drafts</h4>
      <p class="side__hint">Unsent work that did not fit the project any more. Only you see it. Compare shows what the project has now instead; a fork is a new project with both.</p>
      <Versions versions={drafts} studio={studio} onRestored={() => undefined} />
    </section>
  );
}

interface VersionProps { readonly version: Snapshot; readonly studio: Studio; readonly onRestored: () => void }

function Version({ version, studio, onRestored }: VersionProps) {
  const { api, about, session } = studio;
  const project = about.value.project.id;
  const [differences, setDifferences] = useState<Page<Difference> | null>(null);
  const why = useWhyNotAction("restore");
  const failed = (error: Error): void => refused(studio, error);
  const restore = (): void => void api.restoreSnapshot(project, version.id).then((answer) => {
    notice(studio, `“${version.name}” is back. A version of what was there before has been kept.${leftWords(studio, answer)}`);
    onRestored();
  }, failed);
  const compare = (): void => {
    if (differences !== null) return setDifferences(null);
    api.compareSnapshot(project, version.id).then(setDifferences, failed);
  };
  return (
    <li class="version" data-testid={version.kind === "draft" ? "draft" : "version"}>
      <div class="version__name">{version.name}</div>
      <div class="version__by">{version.author?.name ?? "Automatic"} · <time dateTime={version.created_at}>{ago(version.created_at)}</time></div>
      <div class="version__actions">
        <Button kind="quiet" onClick={compare} testid="version-compare">{differences === null ? "Compare" : "Hide"}</Button>
        {mayEdit(session.role) && version.kind !== "draft" && <Button kind="quiet" why={why} onClick={restore} testid="version-restore">Restore</Button>}
        <Button kind="quiet" onClick={() => void api.forkSnapshot(project, version.id).then((fork) => location.assign(projectPath(fork.id)), failed)} testid="version-fork">Fork</Button>
      </div>
      {differences !== null && <Differences first={differences} more={(cursor) => api.compareSnapshot(project, version.id, cursor)} onProblem={failed} testid="differences" />}
    </li>
  );
}
