/** Where a person picks a tool, fills in its arguments and runs it. The button stays free: to press it twice is the point. */
'use client';

import type { FormEvent, ReactElement } from 'react';
import { useState } from 'react';
import type { Request } from '../lib/call.ts';
import { startCall } from '../lib/call-store.ts';
import type { FormField, ToolForm } from '../lib/tool-form.ts';

/** The desk. */
export function ToolDesk({ forms }: { readonly forms: readonly ToolForm[] }): ReactElement {
  const [at, setAt] = useState(0);
  const form = forms[at];
  return (
    <section className="desk" aria-labelledby="desk-title">
      <h2 id="desk-title">Run a tool</h2>
      <fieldset className="tools">
        <legend>Tool</legend>
        {forms.map(({ server, tool, title, readOnly }, index) => (
          <label key={`${server}/${tool}`} className="tool">
            <input type="radio" name="tool" checked={index === at} onChange={() => setAt(index)} />
            <span>
              {title}
              <small>{readOnly ? 'only reads' : 'runs at most once per key'}</small>
            </span>
          </label>
        ))}
      </fieldset>
      {form !== undefined && <ArgumentForm key={`${form.server}/${form.tool}`} form={form} />}
    </section>
  );
}

function ArgumentForm({ form }: { readonly form: ToolForm }): ReactElement {
  const [values, setValues] = useState(() =>
    Object.fromEntries(form.fields.map(({ name, initial }) => [name, initial])),
  );
  const [ownKey, setOwnKey] = useState<string>();
  const key = ownKey ?? `${form.tool}:${values.orderId ?? ''}`;
  const run = (event: FormEvent): void => {
    event.preventDefault();
    startCall(requestOf(form, values, key));
  };
  return (
    <form onSubmit={run} aria-label={form.title}>
      <p className="quiet">{form.description}</p>
      {form.fields.map((field) => (
        <ArgumentField
          key={field.name}
          field={field}
          value={values[field.name] ?? ''}
          onChange={(value) => setValues({ ...values, [field.name]: value })}
        />
      ))}
      {!form.readOnly && (
        <label className="field">
          Idempotency key
          <input
            value={key}
            required
            maxLength={255}
            pattern="[ -~]*\S[ -~]*"
            aria-describedby="key-hint"
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setOwnKey(event.target.value)}
          />
          <small id="key-hint">
            The name of what you want done. The same key is never done twice, however often you press.
          </small>
        </label>
      )}
      <button type="submit" className="run">
        {form.title}
      </button>
    </form>
  );
}

interface FieldProps {
  readonly field: FormField;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function ArgumentField({ field, value, onChange }: FieldProps): ReactElement {
  const isNumber = field.kind === 'integer';
  return (
    <label className="field">
      {field.label}
      <input
        name={field.name}
        type={isNumber ? 'number' : 'text'}
        inputMode={isNumber ? 'numeric' : 'text'}
        step={isNumber ? 1 : undefined}
        min={isNumber ? 1 : undefined}
        required={field.required}
        autoComplete="off"
        spellCheck={false}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

function requestOf(form: ToolForm, values: Readonly<Record<string, string>>, key: string): Request {
  const { server, tool, title, readOnly, fields } = form;
  const args = fields.map(
    ({ name, kind }) => [name, kind === 'integer' ? Number(values[name]) : values[name]] as const,
  );
  return { server, tool, title, arguments: Object.fromEntries(args), ...(readOnly ? {} : { key }) };
}
