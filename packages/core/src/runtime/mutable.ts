/** Says of an object that it is still being put together. A few assignments cost far less than a few spreads of `{}`. */

/** `T` with members that may be set. */
export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
