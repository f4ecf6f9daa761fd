/** My projects that were deleted and can still come back. */

import { Button } from "../parts/button.tsx";
import { projectPath } from "../route.ts";
import { notice } from "../state/actions.ts";
import { usePages } from "../state/pages.ts";
import { useStudio } from "../state/studio.ts";

export function DeletedProjects() {
  const studio = useStudio();
  const { api } = studio;
  const { items: gone, more } = usePages(api.deletedProjects, ({ id }) => id, [api]);
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
      {more !== null && <Button kind="quiet" onClick={more} testid="deleted-more">More</Button>}
    </section>
  );
}
