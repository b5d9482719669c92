/** What people fill in. Each has a label; `hint` explains, `error` says what is wrong with it. */
import { Check, ChevronDown, Minus, Search } from "lucide-react";
import type { ReactNode } from "react";
import {
  Button as AriaButton,
  Checkbox as AriaCheckbox,
  ComboBox as AriaComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Radio,
  RadioGroup as AriaRadioGroup,
  SearchField as AriaSearchField,
  Select as AriaSelect,
  SelectValue,
  Text,
  TextArea as AriaTextArea,
  TextField as AriaTextField,
  ToggleButton,
  ToggleButtonGroup,
  type TextFieldProps as AriaTextFieldProps,
} from "react-aria-components";

interface Described {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
}

function Below({ hint, error }: Pick<Described, "hint" | "error">) {
  return (
    <>
      {hint !== undefined && <Text slot="description">{hint}</Text>}
      <FieldError className="field-error">{error}</FieldError>
    </>
  );
}

type TextFieldProps = Described & Omit<AriaTextFieldProps, "children" | "className"> & { placeholder?: string };

export function TextField({ label, hint, error, placeholder, ...props }: TextFieldProps) {
  return (
    <AriaTextField {...props} className="field" isInvalid={error !== undefined}>
      <Label>{label}</Label>
      <Input className="input" {...(placeholder !== undefined && { placeholder })} />
      <Below hint={hint} error={error} />
    </AriaTextField>
  );
}

export function TextArea({ label, hint, error, rows, ...props }: TextFieldProps & { rows?: number }) {
  return (
    <AriaTextField {...props} className="field" isInvalid={error !== undefined}>
      <Label>{label}</Label>
      <AriaTextArea rows={rows ?? 4} />
      <Below hint={hint} error={error} />
    </AriaTextField>
  );
}

interface SearchFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
}

/** A search field whose label only screen readers hear. */
export function SearchField({ label, placeholder, ...props }: SearchFieldProps) {
  return (
    <AriaSearchField {...props} aria-label={label} className="field">
      <div className="combo">
        <Search size={18} aria-hidden style={{ margin: "10px 0 0 10px" }} />
        <Input placeholder={placeholder ?? label} />
      </div>
    </AriaSearchField>
  );
}

/** One of what can be chosen; `note` is shown under the name. */
export interface Choice {
  id: string;
  name: string;
  note?: string;
}

function Choices({ choice }: { choice: Choice }) {
  return (
    <ListBoxItem id={choice.id} textValue={choice.name} className="option">
      <Text slot="label">{choice.name}</Text>
      {choice.note !== undefined && (
        <Text slot="description" className="hint">
          {choice.note}
        </Text>
      )}
    </ListBoxItem>
  );
}

interface SelectProps extends Described {
  choices: readonly Choice[];
  value: string | null;
  onChange: (id: string) => void;
  isDisabled?: boolean;
  placeholder?: string;
  /** For labels that only screen readers hear. */
  hideLabel?: boolean;
}

export function Select({ label, hint, error, choices, value, onChange, hideLabel, ...props }: SelectProps) {
  return (
    <AriaSelect
      {...props}
      className="field"
      value={value}
      onChange={(key) => key !== null && onChange(String(key))}
      isInvalid={error !== undefined}
    >
      <Label className={hideLabel ? "visually-hidden" : "label"}>{label}</Label>
      <AriaButton className="select-button">
        <SelectValue>{({ defaultChildren, selectedText }) => selectedText ?? defaultChildren}</SelectValue>
        <ChevronDown size={18} aria-hidden />
      </AriaButton>
      <Below hint={hint} error={error} />
      <Popover className="popover">
        <ListBox items={choices}>{(choice: Choice) => <Choices choice={choice} />}</ListBox>
      </Popover>
    </AriaSelect>
  );
}

interface ComboBoxProps extends Described {
  choices: readonly Choice[];
  value: string | null;
  onChange: (id: string | null) => void;
  placeholder?: string;
  hideLabel?: boolean;
  isDisabled?: boolean;
}

/** A choice that is found by typing. */
export function ComboBox({
  label,
  hint,
  error,
  choices,
  value,
  onChange,
  placeholder,
  hideLabel,
  ...props
}: ComboBoxProps) {
  return (
    <AriaComboBox
      {...props}
      className="field"
      defaultItems={choices}
      value={value}
      onChange={(key) => onChange(key === null ? null : String(key))}
      isInvalid={error !== undefined}
      menuTrigger="focus"
    >
      <Label className={hideLabel ? "visually-hidden" : "label"}>{label}</Label>
      <div className="combo">
        <Input {...(placeholder !== undefined && { placeholder })} />
        <AriaButton className="button icon">
          <ChevronDown size={18} aria-hidden />
        </AriaButton>
      </div>
      <Below hint={hint} error={error} />
      <Popover className="popover">
        <ListBox>{(choice: Choice) => <Choices choice={choice} />}</ListBox>
      </Popover>
    </AriaComboBox>
  );
}

interface CheckboxProps {
  children: ReactNode;
  isSelected: boolean;
  onChange: (selected: boolean) => void;
  isIndeterminate?: boolean;
  isDisabled?: boolean;
}

export function Checkbox({ children, ...props }: CheckboxProps) {
  return (
    <AriaCheckbox {...props} className="check">
      {({ isSelected, isIndeterminate }) => (
        <>
          <span className="box" aria-hidden>
            {isIndeterminate ? <Minus size={14} /> : isSelected && <Check size={14} />}
          </span>
          {children}
        </>
      )}
    </AriaCheckbox>
  );
}

interface OneOfProps {
  label: string;
  choices: readonly Choice[];
  value: string;
  onChange: (id: string) => void;
  isDisabled?: boolean;
}

/** One of a few, as radio buttons below each other. */
export function RadioGroup({ label, choices, ...props }: OneOfProps) {
  return (
    <AriaRadioGroup {...props} className="field">
      <Label className="label">{label}</Label>
      {choices.map((choice) => (
        <Radio key={choice.id} value={choice.id} className="check">
          <span className="box round" aria-hidden />
          <span>
            {choice.name}
            {choice.note !== undefined && <span className="hint"> {choice.note}</span>}
          </span>
        </Radio>
      ))}
    </AriaRadioGroup>
  );
}

/** One of a few, side by side; its label only screen readers hear. */
export function Segments({ label, choices, value, onChange, ...props }: OneOfProps) {
  return (
    <ToggleButtonGroup
      {...props}
      aria-label={label}
      className="segments"
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => {
        for (const key of keys) onChange(String(key));
      }}
    >
      {choices.map((choice) => (
        <ToggleButton key={choice.id} id={choice.id} className="segment">
          {choice.name}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
