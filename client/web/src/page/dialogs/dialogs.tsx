/** Whichever dialog is open. */

import { useStudio, useUi } from "../state/studio.ts";
import { People } from "./people.tsx";
import { Profile } from "./profile.tsx";
import { Projects } from "./projects.tsx";
import { Share } from "./share.tsx";
import { Shortcuts } from "./shortcuts.tsx";

export function Dialogs() {
  const { ui } = useStudio();
  const { dialog } = useUi();
  const close = (): void => ui.set({ dialog: null });
  switch (dialog) {
    case "share":
      return <Share onClose={close} />;
    case "shortcuts":
      return <Shortcuts onClose={close} />;
    case "projects":
      return <Projects onClose={close} />;
    case "people":
      return <People onClose={close} />;
    case "profile":
      return <Profile onClose={close} />;
    case null:
      return null;
  }
}
