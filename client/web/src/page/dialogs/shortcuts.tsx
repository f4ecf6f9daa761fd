/** The keys. */

import { Dialog } from "../parts/dialog.tsx";
import { COMMANDS, type Command } from "../state/commands.ts";

const GROUPS = ["Play", "Clips", "Edit", "Timeline", "View"] as const;
const NAMES: { readonly [key: string]: string } = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Delete: "Del", " ": "Space", Escape: "Esc" };

const Keys = ({ command }: { readonly command: Command }) => (
  <dd>{(command.keys[0] ?? "").split(/\+(?=.)/).map((key) => <kbd key={key}>{NAMES[key] ?? key}</kbd>)}</dd>
);

export const Shortcuts = ({ onClose }: { readonly onClose: () => void }) => (
  <Dialog title="Keyboard shortcuts" onClose={onClose} testid="shortcuts-dialog" wide>
    <div class="shortcuts">
      {GROUPS.map((group) => (
        <section key={group}>
          <h3>{group}</h3>
          <dl>
            {COMMANDS.filter((command) => command.group === group).map((command) => (
              <div key={command.label} class="shortcuts__row"><dt>{command.label}</dt><Keys command={command} /></div>
            ))}
          </dl>
        </section>
      ))}
    </div>
    <p class="hint">Drag with <kbd>Alt</kbd> to copy, with <kbd>Ctrl</kbd> to leave the grid. <kbd>Ctrl</kbd> and the wheel zoom.</p>
  </Dialog>
);
