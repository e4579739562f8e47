package demo

import (
	"slices"
)

// Sea is the invented sea on which the members lie.
const Sea = "Sea of Lanthery"

// realms are the invented members, in the order in which a coalition takes them: a
// larger coalition has those of a smaller one. None is the name of a real country
// or place; a name is never changed or moved, because its place in the list decides
// the member's answers.
var realms = [...]string{
	"Ostmere", "Calverra", "Tamberlune", "Yarrowend", "Brisolde", "Galdoven",
	"Nalverra", "Fenmarra", "Quillomar", "Hestervane", "Velmarrin", "Irrendale",
	"Zephrane", "Lannorel", "Dorvessa", "Umbrenne", "Perrindal", "Selmarra",
	"Wendrassil", "Korvessa", "Ardelune", "Mirrenhall", "Jolvarne", "Rondelmar",
	"Elsmerine", "Olvenne", "Tarvessa", "Xandrelle", "Garrismond", "Belquera",
	"Anvessa", "Silverrin", "Halvessa", "Nendoril", "Drellow", "Lirrendia",
	"Pellandis", "Valdorren", "Corvendal", "Ferrowald", "Kelmarrin", "Zandelle",
	"Asquenne", "Yelvane", "Meldoran", "Ilvoren", "Thistermere", "Bravelune",
	"Quenmarra", "Sarvenne", "Jurasselle", "Edrassil", "Westermarrow", "Ravelorne",
	"Orlevaine", "Caspenny", "Undrelle", "Lorvendia", "Dalmeret", "Wyvarra",
}

// Forms make further names of each realm's. With the realm itself they are enough
// for [MaxMembers].
var (
	before = [...]string{
		"North", "South", "East", "West", "Upper", "Lower", "Inner", "Outer", "Old",
		"Greater", "Lesser", "Far", "Near", "High", "Middle", "Little",
	}
	after = [...]string{
		"Isles", "Coast", "Shore", "Haven", "Reach", "Sound", "Marches", "Highlands",
		"Lowlands", "Strand", "Point", "Bay", "Banks", "Narrows", "Rocks", "Sands", "Ness",
	}
)

// names returns n different names in the order of [realms], then realm by realm in
// each further form.
func names(n int) []string {
	all := slices.Clone(realms[:min(n, len(realms))])
	for _, word := range before {
		for _, realm := range realms {
			if len(all) == n {
				return all
			}
			all = append(all, word+" "+realm)
		}
	}
	for _, word := range after {
		for _, realm := range realms {
			if len(all) == n {
				return all
			}
			all = append(all, realm+" "+word)
		}
	}
	return all
}

// Names returns the names of the first n invented members, in their order.
func Names(n int) []string { return names(n) }
