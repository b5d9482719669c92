import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";
import { forgetAnswers, queries, whoami } from "../api/queries";
import { signIn } from "../api/session";
import { Failed } from "../base/states";
import { Button } from "../ui/Button";
import { TextField } from "../ui/Fields";
import { Card, Page } from "../ui/Layout";

/** Asks for a key; the server keeps who is signed in, the browser only a cookie that no script can read. */
export function SignIn() {
  const { t } = useTranslation("shell");
  const [key, setKey] = useState("");
  const entering = useMutation({
    mutationFn: () => signIn(key.trim()),
    onSuccess: (who) => {
      forgetAnswers();
      queries.setQueryData(whoami.queryKey, who);
    },
  });
  const wrong = entering.error instanceof Problem && entering.error.status === 401;
  return (
    <main className="sign-in">
      <Page title={t("signIn")} lede={t("signInLede")}>
        <Card>
          <form
            className="stack"
            onSubmit={(event) => {
              event.preventDefault();
              entering.mutate();
            }}
          >
            <TextField
              label={t("key")}
              hint={t("keyHint")}
              error={wrong ? t("wrongKey") : undefined}
              type="password"
              autoComplete="current-password"
              value={key}
              onChange={setKey}
              isRequired
              autoFocus
            />
            {entering.error && !wrong && <Failed error={entering.error} />}
            <Button type="submit" look="primary" isPending={entering.isPending}>
              {t("signIn")}
            </Button>
          </form>
        </Card>
      </Page>
    </main>
  );
}
