declare const brand: unique symbol;

/** A value of type `T` that only the named parser may produce. Costs nothing at run time. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
