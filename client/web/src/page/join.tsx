/** An invite: who asks, to what, as what; one click joins. */

import { useState } from "preact/hooks";
import type { Api, Invitation } from "../client/api.ts";
import { Avatar } from "./parts/avatar.tsx";
import { Button } from "./parts/button.tsx";
import { projectPath } from "./route.ts";

const MAY = { editor: "You can edit everything in it.", commenter: "You can look around and write notes.", viewer: "You can look around." } as const;

interface JoinProps { readonly api: Api; readonly token: string; readonly invitation: Invitation }

export function Join({ api, token, invitation }: JoinProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const accept = async (): Promise<void> => {
    setBusy(true);
    try {
      const { project } = await api.acceptInvite(token);
      location.assign(projectPath(project.id));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  const by = invitation.invited_by;
  return (
    <main class="still" data-testid="join">
      {by !== null && <Avatar person={by} />}
      <p class="still__quiet">{by?.name ?? "Somebody"} invites you to</p>
      <h1>{invitation.project.name}</h1>
      <p>{MAY[invitation.role]}</p>
      {problem !== null && <p role="alert" class="problem">{problem}</p>}
      <Button kind="main" onClick={() => void accept()} disabled={busy} testid="accept">{busy ? "Joining…" : "Join the project"}</Button>
    </main>
  );
}
