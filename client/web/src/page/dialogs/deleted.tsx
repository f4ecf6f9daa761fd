/** My projects that were deleted and can still come back. */

import { useEffect, useState } from "preact/hooks";
import type { DeletedProject } from "../../client/api.ts";
import { Button } from "../parts/button.tsx";
import { projectPath } from "../route.ts";
import { notice } from "../state/actions.ts";
import { useStudio } from "../state/studio.ts";

export function DeletedProjects() {
  const studio = useStudio();
  const { api } = studio;
  const [gone, setGone] = useState<readonly DeletedProject[]>([]);
  useEffect(() => void api.deletedProjects().then((page) => setGone(page.items), () => undefined), []);
  if (gone.length === 0) return null;
  const back = (id: string): void => void api.undeleteProject(id).then(() => location.assign(projectPath(id)), (error: Error) => notice(studio, error.message));
  return (
    <section aria-label="Deleted projects">
      <h3 class="side__section">Deleted</h3>
      <ul class="versions">
        {gone.map((project) => (
          <li key={project.id} class="trash" data-testid="deleted-project">
            <div>
              <div class="version__name">{project.name}</div>
              <div class="version__by">Gone for good on {new Date(project.purge_at).toLocaleDateString()}</div>
            </div>
            <Button kind="quiet" onClick={() => back(project.id)} testid="undelete-project">Bring back</Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
