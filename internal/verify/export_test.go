package verify

import "muster/internal/coalition"

// Template returns a sentence before its arguments are in it.
func Template(code string) (en, fr string) { return sentences()[code].en, sentences()[code].fr }

// PhaseWords returns what a phase is called in both languages.
func PhaseWords(p coalition.Phase) (en, fr string) { return phase(p).en, phase(p).fr }

// DetailWords returns the patterns of details in both languages.
func DetailWords() [][2]string { return detailWords() }

// InFrench returns a detail in French, or nothing.
func InFrench(detail string) string { return inFrench(detail) }

// Listed reports whether it is listed why a finding of the code could not be checked.
func Listed(code string) bool { _, listed := reason(code); return listed }
