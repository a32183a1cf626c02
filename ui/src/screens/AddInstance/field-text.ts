import type { Field, Login } from '$lib/backend/backend';

/** Whether a person signs in at a page of the vendor's, so that Connect goes on in the browser. */
export function asksInBrowser({ strategy }: Pick<Login, 'strategy'>): boolean {
  return ['authorization_code', 'device_code', 'entra_browser', 'entra_device_code'].includes(strategy);
}

/**
 * What a field shows of its value. A host of the suffix's own family is shown without it, because the suffix stands beside;
 * any other host is shown whole, and then the suffix would be wrong.
 */
export function fieldText(field: Field, value: string): { text: string; suffix: string } {
  if (field.suffix === '') return { text: value, suffix: '' };
  const text = value.endsWith(field.suffix) ? value.slice(0, -field.suffix.length) : value;
  return { text, suffix: text.includes('.') || text.includes('/') ? '' : field.suffix };
}

/** A value as it stands where nothing can be typed: a choice by its name, everything else whole. */
export function valueText(field: Field | undefined, value: string): string {
  if (!field) return value;
  const choice = field.choices.find((candidate) => candidate.value === value);
  if (choice) return choice.label;
  const { text, suffix } = fieldText(field, value);
  return `${text}${suffix}`;
}

/**
 * Whether two login options ask for the same thing under one name. Only then what was typed is handed from one to the other:
 * an API key is not the other option's token because both are called `token`.
 */
export function isShared(field: Field, other: Login): boolean {
  return other.fields.some(
    ({ id, label, secret, format }) => id === field.id && label === field.label && secret === field.secret && format === field.format,
  );
}
