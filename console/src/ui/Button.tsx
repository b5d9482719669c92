import type { ReactNode } from "react";
import { Button as AriaButton, Link, type ButtonProps as AriaButtonProps, type LinkProps } from "react-aria-components";

interface Looks {
  look?: "primary" | "plain" | "quiet" | "danger";
  small?: boolean;
  /** Only a picture is in it: give an `aria-label`. */
  icon?: boolean;
}

function classes({ look = "plain", small, icon }: Looks): string {
  const named = { primary: "primary", plain: "", quiet: "quietly", danger: "danger" }[look];
  return ["button", named, small ? "small" : "", icon ? "icon" : ""].filter(Boolean).join(" ");
}

export type ButtonProps = Looks & Omit<AriaButtonProps, "className">;

/** A button; `isPending` keeps it focusable while its work runs. */
export function Button({ look, small, icon, ...props }: ButtonProps) {
  return (
    <AriaButton
      {...props}
      className={classes({ ...(look && { look }), ...(small && { small }), ...(icon && { icon }) })}
    />
  );
}

/** A link that looks like a button. */
export function ButtonLink({
  look,
  small,
  icon,
  ...props
}: Looks & Omit<LinkProps, "className"> & { children: ReactNode }) {
  return (
    <Link {...props} className={classes({ ...(look && { look }), ...(small && { small }), ...(icon && { icon }) })} />
  );
}
