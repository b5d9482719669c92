/** What is around every page: the menu, who is signed in, how it looks. */
import { Menu as MenuPicture, UserRound } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Dialog as AriaDialog, DialogTrigger, Link, Popover } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";
import { forgetAnswers, queries, whoami } from "../api/queries";
import { signOut } from "../api/session";
import { languages, setLanguage, type Language } from "../base/language";
import { may, type Who } from "../base/session";
import { Button } from "../ui/Button";
import { Toasts, tell } from "../ui/Dialogs";
import { Select } from "../ui/Fields";
import { setTheme, useTheme, type Theme } from "../ui/theme";
import { pages, type PageOf } from "./routes";

export function Shell({ who, children }: { who: Who; children: ReactNode }) {
  const { t } = useTranslation(["shell", "base"]);
  const [open, setOpen] = useState(false);
  useBeginning();
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t("skip")}
      </a>
      <header className="shell-head">
        <Button icon look="quiet" aria-label={t("menu")} aria-expanded={open} onPress={() => setOpen(!open)}>
          <MenuPicture size={22} aria-hidden />
        </Button>
        <Link href="/" className="brand">
          <img src="/favicon.svg" alt="" width={26} height={26} /> Vaglio
        </Link>
        <Account who={who} />
      </header>
      <Navigation who={who} open={open} leave={() => setOpen(false)} />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <Toasts label={t("notices")} close={t("base:close")} />
    </div>
  );
}

/**
 * Another page begins at its top, for those who see it and for those who listen. Within a page the focus stays where it is,
 * unless what had it is gone.
 */
function useBeginning(): void {
  const path = useLocation().pathname;
  const before = useRef(path);
  useEffect(() => {
    const [, section] = path.split("/");
    const [, was] = before.current.split("/");
    const lost = document.activeElement === document.body;
    const moved = before.current !== path;
    before.current = path;
    if (!moved || (section === was && !lost)) return;
    window.scrollTo(0, 0);
    document.getElementById("content")?.focus({ preventScroll: true });
  }, [path]);
}

function Navigation({ who, open, leave }: { who: Who; open: boolean; leave: () => void }) {
  const { t } = useTranslation("shell");
  const here = useLocation().pathname;
  const opened = pages.filter((page) => page.rights.some((right) => may(who, right)));
  return (
    <nav aria-label={t("nav")} className={open ? "shell-nav open" : "shell-nav"}>
      {(["plan", "data", "run"] as const).map((group) => {
        const within = opened.filter((page) => page.group === group);
        if (within.length === 0) return null;
        return (
          <div key={group}>
            <span className="group" id={`nav-${group}`}>
              {t(`groups.${group}`)}
            </span>
            <ul aria-labelledby={`nav-${group}`}>
              {within.map((page) => (
                <li key={page.name}>
                  <PageLink page={page} here={here} leave={leave} />
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}

function PageLink({ page, here, leave }: { page: PageOf; here: string; leave: () => void }) {
  const { t } = useTranslation("shell");
  const href = page.path.replace(/\/\*$/, "");
  const current = href === "/" ? here === "/" : here === href || here.startsWith(`${href}/`);
  return (
    <Link href={href} {...(current && { "aria-current": "page" as const })} onPress={leave}>
      <page.picture size={18} aria-hidden /> {t(`pages.${page.name}`)}
    </Link>
  );
}

function Account({ who }: { who: Who }) {
  const { t, i18n } = useTranslation("shell");
  const theme = useTheme();
  const leave = () =>
    signOut().then(
      async () => {
        await queries.resetQueries({ queryKey: whoami.queryKey });
        forgetAnswers();
        // What was typed and not saved is theirs, too. A session that ended by itself keeps it.
        sessionStorage.clear();
      },
      (error: Error) => tell(error.message, "bad"),
    );
  return (
    <DialogTrigger>
      <Button look="quiet" aria-label={t("account")}>
        <UserRound size={20} aria-hidden />{" "}
        <span className="account-name">{who.role ? t(`role.${who.role}`) : ""}</span>
      </Button>
      <Popover className="popover" placement="bottom end">
        <AriaDialog aria-label={t("account")} className="account stack">
          <div>
            <strong>{who.role ? t(`role.${who.role}`) : t("atTheMachine")}</strong>
            <div className="quiet">
              {who.name} · {t("owner")}: {who.owner === "*" ? t("everyOwner") : who.owner}
            </div>
          </div>
          <Select
            label={t("language")}
            value={i18n.language}
            choices={Object.entries(languages).map(([id, name]) => ({ id, name }))}
            onChange={(language) => void setLanguage(language as Language)}
          />
          <Select
            label={t("theme")}
            value={theme}
            choices={[
              { id: "light", name: t("light") },
              { id: "dark", name: t("dark") },
            ]}
            onChange={(chosen) => setTheme(chosen as Theme)}
          />
          {who.role && <Button onPress={() => void leave()}>{t("signOut")}</Button>}
        </AriaDialog>
      </Popover>
    </DialogTrigger>
  );
}
