/** What was deleted and can come back. */

import * as edits from "../../client/edits.ts";
import type { Canonical, Entity, Root } from "../../client/schema.ts";
import { entities, isDeleted } from "../../client/valid.ts";
import { ago } from "../parts/ago.ts";
import { Button } from "../parts/button.tsx";
import { useReading, usePeople, useStudio } from "../state/studio.ts";

const KINDS: readonly (readonly [Root, string])[] = [["tracks", "Track"], ["clips", "Clip"], ["markers", "Marker"], ["notes", "Note"]];

interface Gone { readonly root: Root; readonly id: string; readonly kind: string; readonly name: string; readonly by: string; readonly at: number }

function gone(document: Canonical): Gone[] {
  const found = KINDS.flatMap(([root, kind]) =>
    entities(document, root).filter(([id, fields]) => isDeleted(id, fields)).map(([id, fields]) => ({ root, id, kind, name: nameOf(fields), ...stamp(fields) })),
  );
  return found.sort((a, b) => b.at - a.at);
}

const nameOf = (fields: Entity): string => String(fields["name"] ?? fields["label"] ?? fields["body"] ?? "").slice(0, 60);

function stamp(fields: Entity): { readonly by: string; readonly at: number } {
  const [by, at] = fields["deleted"] as readonly [string, number];
  return { by, at };
}

export function Trash() {
  const { session } = useStudio();
  const { document } = useReading();
  const people = usePeople();
  const items = gone(document);
  const back = ({ root, id }: Gone): void => {
    if (root === "tracks") edits.undeleteTrack(session.pen, id);
    if (root === "clips") edits.undeleteClips(session.pen, [id]);
    if (root === "markers") edits.undeleteMarker(session.pen, id);
    if (root === "notes") edits.undeleteNote(session.pen, id);
  };
  return (
    <div class="side__body">
      {items.length === 0 && <p class="side__empty">Nothing has been deleted. What you delete waits here and can come back.</p>}
      <ul class="versions">
        {items.map((item) => (
          <li key={item.id} class="trash" data-testid="trash-item">
            <div>
              <div class="version__name">{item.kind} {item.name && `“${item.name}”`}</div>
              <div class="version__by">{people.get(item.by)?.name ?? "Somebody"} · {ago(item.at)}</div>
            </div>
            {session.canEdit && <Button kind="quiet" onClick={() => back(item)} testid="undelete">Bring back</Button>}
          </li>
        ))}
      </ul>
    </div>
  );
}
