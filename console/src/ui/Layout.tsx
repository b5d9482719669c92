/** Where things stand on a page: its head, cards, figures, badges, notices, progress, tabs, what opens and closes. */
import { CircleAlert, CircleCheck, ChevronDown, ChevronRight, Info, TriangleAlert } from "lucide-react";
import { useEffect, useId, type ReactNode } from "react";
import {
  Button as AriaButton,
  Disclosure,
  DisclosurePanel,
  Heading,
  ProgressBar,
  Tab,
  TabList,
  TabPanel,
  Tabs as AriaTabs,
} from "react-aria-components";

export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

interface PageProps {
  title: string;
  /** A sentence that says what the page is for. */
  lede?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page: its heading is the document's title, too. */
export function Page({ title, lede, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Vaglio`;
  }, [title]);
  return (
    <div className="stack">
      <div className="page-head">
        <div>
          <h1>{title}</h1>
          {lede !== undefined && <p>{lede}</p>}
        </div>
        {actions !== undefined && <div className="row">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

interface CardProps {
  title?: string;
  aside?: ReactNode;
  children: ReactNode;
}

export function Card({ title, aside, children }: CardProps) {
  const id = useId();
  return (
    <section className="card" {...(title !== undefined && { "aria-labelledby": id })}>
      {(title !== undefined || aside !== undefined) && (
        <header>
          {title !== undefined && <h2 id={id}>{title}</h2>}
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}

/** A figure that is read at a glance. */
export function Stat({ label, value, note }: { label: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="stat">
      <span className="quiet">{label}</span>
      <span className="value">{value}</span>
      {note !== undefined && <span className="quiet">{note}</span>}
    </div>
  );
}

export function Badge({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

const pictures = { plain: Info, accent: Info, good: CircleCheck, warn: TriangleAlert, bad: CircleAlert };

/** Something to know. `live` has screen readers say it when it appears. */
export function Notice({
  tone = "plain",
  live = false,
  children,
}: {
  tone?: Tone;
  live?: boolean;
  children: ReactNode;
}) {
  const Picture = pictures[tone];
  return (
    <div className={`notice ${tone}`} {...(live && { role: tone === "bad" ? "alert" : "status" })}>
      <Picture size={20} aria-hidden />
      <div>{children}</div>
    </div>
  );
}

/** How far something is: a share, 0 to 1; without one it only says that it goes on. */
export function Progress({ label, done }: { label: string; done?: number | undefined }) {
  return (
    <ProgressBar
      aria-label={label}
      minValue={0}
      maxValue={1}
      {...(done === undefined ? { isIndeterminate: true } : { value: done })}
      className="stack"
      style={{ gap: 4 }}
    >
      {({ percentage, valueText }) => (
        <>
          <div className="row spread">
            <span>{label}</span>
            <span className="quiet">{valueText}</span>
          </div>
          <div className="track">
            <div className={done === undefined ? "skeleton" : ""} style={{ width: `${percentage ?? 100}%` }} />
          </div>
        </>
      )}
    </ProgressBar>
  );
}

export interface TabOf {
  id: string;
  name: string;
  content: ReactNode;
}

interface TabsProps {
  label: string;
  tabs: readonly TabOf[];
  selected?: string;
  onSelect?: (id: string) => void;
}

export function Tabs({ label, tabs, selected, onSelect }: TabsProps) {
  return (
    <AriaTabs
      className="tabs"
      {...(selected !== undefined && { selectedKey: selected })}
      {...(onSelect && { onSelectionChange: (key) => onSelect(String(key)) })}
    >
      <TabList aria-label={label} className="tab-list">
        {tabs.map((tab) => (
          <Tab key={tab.id} id={tab.id} className="tab">
            {tab.name}
          </Tab>
        ))}
      </TabList>
      {tabs.map((tab) => (
        <TabPanel key={tab.id} id={tab.id}>
          {tab.content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}

/** What only some want to see. */
export function More({ title, open = false, children }: { title: string; open?: boolean; children: ReactNode }) {
  return (
    <Disclosure defaultExpanded={open}>
      {({ isExpanded }) => (
        <>
          <Heading level={3}>
            <AriaButton slot="trigger" className="disclosure-button">
              {isExpanded ? <ChevronDown size={18} aria-hidden /> : <ChevronRight size={18} aria-hidden />} {title}
            </AriaButton>
          </Heading>
          <DisclosurePanel>{children}</DisclosurePanel>
        </>
      )}
    </Disclosure>
  );
}
