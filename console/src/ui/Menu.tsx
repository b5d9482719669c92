import type { ReactNode } from "react";
import { Menu as AriaMenu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { Button } from "./Button";

/** Something that can be done to what the menu belongs to. */
export interface Action {
  id: string;
  name: string;
  /** The keys that do the same, as they are shown. */
  keys?: string;
  isDisabled?: boolean;
  run: () => void;
}

interface MenuProps {
  /** What the button is called: a picture alone is in it. */
  label: string;
  picture: ReactNode;
  actions: readonly Action[];
  isDisabled?: boolean;
}

/** A small button that opens a list of things to do. */
export function Menu({ label, picture, actions, isDisabled }: MenuProps) {
  return (
    <MenuTrigger>
      <Button small icon look="quiet" aria-label={label} isDisabled={isDisabled ?? false}>
        {picture}
      </Button>
      <Popover className="popover" placement="bottom end">
        <AriaMenu aria-label={label} disabledKeys={actions.filter((action) => action.isDisabled).map(({ id }) => id)}>
          {actions.map((action) => (
            <MenuItem key={action.id} id={action.id} textValue={action.name} className="option" onAction={action.run}>
              <span className="row spread" style={{ flexWrap: "nowrap" }}>
                {action.name}
                {action.keys !== undefined && <kbd className="hint">{action.keys}</kbd>}
              </span>
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
