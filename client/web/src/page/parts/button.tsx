/** Buttons: with words, or an icon whose words are its label and tip. */

import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icons.tsx";

interface ButtonProps { readonly onClick: () => void; readonly children: ComponentChildren; readonly kind?: "plain" | "main" | "quiet" | "danger"; readonly disabled?: boolean; readonly why?: string | null; readonly testid?: string; readonly type?: "button" | "submit" }

/** `why` it cannot be pressed, if there is a reason, is its tip. */
export const Button = ({ onClick, children, kind = "plain", disabled = false, why = null, testid, type = "button" }: ButtonProps) => (
  <button type={type} class={`button button--${kind}`} disabled={disabled || why !== null} title={why ?? undefined} onClick={onClick} data-testid={testid}>
    {children}
  </button>
);

interface IconButtonProps { readonly icon: IconName; readonly label: string; readonly onClick: () => void; readonly keys?: string; readonly disabled?: boolean; readonly why?: string | null; readonly pressed?: boolean; readonly testid?: string; readonly badge?: number }

export const IconButton = ({ icon, label, onClick, keys, disabled = false, why = null, pressed, testid, badge = 0 }: IconButtonProps) => (
  <button type="button" class="icon-button" aria-label={label} title={why ?? (keys === undefined ? label : `${label} (${keys})`)} disabled={disabled || why !== null} aria-pressed={pressed} onClick={onClick} data-testid={testid}>
    <Icon name={icon} />
    {badge > 0 && <span class="badge">{badge}</span>}
  </button>
);
