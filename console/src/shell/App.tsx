import { QueryClientProvider, useQuery } from "@tanstack/react-query";
import { Suspense } from "react";
import { I18nProvider, RouterProvider } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { BrowserRouter, Route, Routes, useLocation, useNavigate } from "react-router";
import { Problem } from "../api/client";
import { queries, whoami } from "../api/queries";
import { may } from "../base/session";
import { Failed, Forbidden, Loading } from "../base/states";
import { ButtonLink } from "../ui/Button";
import { Page } from "../ui/Layout";
import { Broken } from "./Broken";
import { pages, type PageName } from "./routes";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";

export function App() {
  const { i18n } = useTranslation();
  return (
    <QueryClientProvider client={queries}>
      <I18nProvider locale={i18n.language}>
        <BrowserRouter>
          <House />
        </BrowserRouter>
      </I18nProvider>
    </QueryClientProvider>
  );
}

function House() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [, section] = useLocation().pathname.split("/");
  const asked = useQuery(whoami);
  const who = asked.data;
  if (asked.error instanceof Problem && asked.error.status === 401) return <SignIn />;
  if (who === undefined) {
    return (
      <main className="sign-in">
        {asked.error ? <Failed error={asked.error} retry={() => void asked.refetch()} /> : <Loading />}
      </main>
    );
  }
  return (
    <RouterProvider navigate={(path) => void navigate(path)}>
      <Shell who={who}>
        <Broken key={section}>
          <Suspense fallback={<Loading />}>
            <Routes>
              {pages.map((page) => {
                const open = page.rights.some((right) => may(who, right));
                return (
                  <Route
                    key={page.name}
                    path={page.path}
                    element={open ? <page.content /> : <Shut name={page.name} />}
                  />
                );
              })}
              <Route
                path="*"
                element={
                  <Page title={t("notFound")}>
                    <div>
                      <ButtonLink href="/">{t("toHome")}</ButtonLink>
                    </div>
                  </Page>
                }
              />
            </Routes>
          </Suspense>
        </Broken>
      </Shell>
    </RouterProvider>
  );
}

/** A page that the key does not open keeps its name: who was sent there sees that it exists. */
function Shut({ name }: { name: PageName }) {
  const { t } = useTranslation("shell");
  return (
    <Page title={t(`pages.${name}`)}>
      <Forbidden />
    </Page>
  );
}
