// Package keys normalises e-mail addresses and names into the key columns that matching
// compares (design section 3). It stands before everything else in the flow: the extractors
// store its results beside the raw values, so that the match itself is nothing but
// equi-joins on equal strings, the same in every SQL engine.
//
// An empty key means "no key": it is stored as NULL and matches nothing.
package keys
