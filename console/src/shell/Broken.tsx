import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../ui/Button";

/** A mistake of ours on one page leaves the menu and the other pages standing: give it a `key` for each page. */
export class Broken extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    return this.state.broken ? <Sorry /> : this.props.children;
  }
}

function Sorry() {
  const { t } = useTranslation();
  return (
    <div className="state" role="alert">
      <h1>{t("broken")}</h1>
      <p>{t("brokenHelp")}</p>
      <Button onPress={() => window.location.reload()}>{t("reload")}</Button>
    </div>
  );
}
