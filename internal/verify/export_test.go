package verify

// Template returns a sentence before its arguments are in it.
func Template(code string) (en, fr string) { return sentences()[code].en, sentences()[code].fr }
