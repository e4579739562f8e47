package web_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/errs"
	"muster/internal/web"
)

func TestRefusal(t *testing.T) {
	t.Parallel()
	fr, en := kit(t).Printer("fr"), kit(t).Printer("en")
	for _, row := range []struct{ name, text, want string }{
		{"fixed", "the form cannot be read", "le formulaire ne peut pas être lu"},
		{"word", "the note is too long", "la note dépasse la longueur admise"},
		{"word and number", "the comment is longer than 20000 bytes", "le commentaire dépasse 20\u202f000 octets"},
		{"quoted", `there is no body "port"`, "il n’y a pas d’organisme «\u00a0port\u00a0»"},
		{"shortened", "there is no body " + errs.Quote(strings.Repeat("x", 50)), "il n’y a pas d’organisme «\u00a0" + strings.Repeat("x", 40) + "…\u00a0»"},
		{"within", "row 2 of the form: the supplier holds characters that cannot be printed", "ligne 2 du formulaire\u00a0: le fournisseur contient des caractères non imprimables"},
		{"within a batch", `outcome "A1.1": the day of the target is no day`, "résultat attendu «\u00a0A1.1\u00a0»\u00a0: l’échéance de l’objectif n’est pas une date valable"},
		{"several", `the key "k" is not registered for the step "s"`, "la clé «\u00a0k\u00a0» n’est pas enregistrée pour l’étape «\u00a0s\u00a0»"},
		{"the longer sentence", "the form has 101 rows", "le formulaire a 101 lignes"},
		{"what is quoted says a sentence", `there is no body "x is closed"`, "il n’y a pas d’organisme «\u00a0x is closed\u00a0»"},
		{"what is quoted has parts of one", `" has no outcome " has no outcome "{2}"`, "«\u00a0 has no outcome \u00a0» n’a pas de résultat attendu «\u00a0{2}\u00a0»"},
		{"what is quoted names a place", `"{2}<1>" has no outcome "x"`, "«\u00a0{2}<1>\u00a0» n’a pas de résultat attendu «\u00a0x\u00a0»"},
		{"escaped", `there is nobody called "a\"b"`, "il n’y a personne du nom de «\u00a0a\\\"b\u00a0»"},
	} {
		if got := fr.Plain(web.Refusal(fr, row.text)); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
		if got := en.Plain(web.Refusal(en, row.text)); got != row.text {
			t.Errorf("%s: in English %q", row.name, got)
		}
	}
	for _, text := range []string{
		"", "something else", "the harbour is too long", `outcome "x": something else`, "the roster of the coalition is no role",
		"there is no body ", strings.Repeat("the note is too long", 200),
	} {
		if got := fr.Plain(web.Refusal(fr, text)); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := string(web.ShowRefusal(fr, "<b> is new")); got != `<span lang="en">&lt;b&gt; is new.</span>` {
		t.Errorf("a refusal without a translation: %s", got)
	}
	if got := string(web.ShowRefusal(fr, `there is no body "<b>"`)); got != "il n’y a pas d’organisme «\u00a0&lt;b&gt;\u00a0»." {
		t.Errorf("what is quoted: %s", got)
	}
	if got := web.ShowRefusal(fr, ""); got != "" {
		t.Errorf("an empty refusal: %s", got)
	}
}

// TestHostileRefusal looks up what would be slow if sentences were sought in what is
// quoted, or within one another without an end.
func TestHostileRefusal(t *testing.T) {
	t.Parallel()
	fr := kit(t).Printer("fr")
	for _, unit := range []string{"row 1 of the form: ", `outcome "x": `, " has no outcome ", " with ", "the charter asks for ", `"`, `\`, "{} "} {
		text := strings.Repeat(unit, 1+1_900/len(unit))
		began := time.Now()
		for range 20 {
			web.Refusal(fr, text)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%q: 20 look-ups take %v", unit, took)
		}
	}
}

func BenchmarkRefusal(b *testing.B) {
	fr := kit(b).Printer("fr")
	for b.Loop() {
		web.Refusal(fr, "row 2 of the form: the supplier holds characters that cannot be printed")
	}
}
