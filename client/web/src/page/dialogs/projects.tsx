/** All my projects. */

import { useEffect, useState } from "preact/hooks";
import type { Project } from "../../client/api.ts";
import { ago } from "../parts/ago.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { projectPath } from "../route.ts";
import { useStudio } from "../state/studio.ts";
import { DeletedProjects } from "./deleted.tsx";

const ROLES = { owner: "Yours", editor: "You edit", commenter: "You write notes", viewer: "You look" } as const;

export function Projects({ onClose }: { readonly onClose: () => void }) {
  const { api, about } = useStudio();
  const [projects, setProjects] = useState<readonly Project[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const load = (cursor?: string): void => void api.projects(cursor).then((page) => {
    setProjects((known) => [...(cursor === undefined ? [] : (known ?? [])), ...page.items]);
    setNext(page.next_cursor);
  }, (error: Error) => setProblem(error.message));
  useEffect(() => load(), []);
  const create = (): void => void api.createProject().then((project) => location.assign(projectPath(project.id)), (error: Error) => setProblem(error.message));
  return (
    <Dialog title="My projects" onClose={onClose} testid="projects-dialog">
      {problem !== null && <p class="problem" role="alert">{problem}</p>}
      <ul class="projects">
        {(projects ?? []).map((project) => (
          <li key={project.id}>
            <a class="project" href={projectPath(project.id)} aria-current={project.id === about.value.project.id ? "page" : undefined} data-testid="project-link">
              <span class="project__name">{project.name}</span>
              <span class="project__about">{ROLES[project.role]} · {project.member_count === 1 ? "only you" : `${project.member_count} people`} · {ago(project.updated_at)}</span>
            </a>
          </li>
        ))}
      </ul>
      <DeletedProjects />
      <footer class="dialog__foot">
        {next !== null && <Button kind="quiet" onClick={() => load(next)}>More</Button>}
        <Button kind="main" onClick={create} testid="new-project">New project</Button>
      </footer>
    </Dialog>
  );
}
