package workspace_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"muster/internal/workspace/workspacetest"
)

// TestRefusalsSpeakFrench posts each kind of fault under /fr/, as a browser and as the
// script does, and finds the words of the page's language and no others.
func TestRefusalsSpeakFrench(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 4, "kept"))
	s.send(t, base+"bodies/body", url.Values{"rev": {"0"}, "id": {"grid"}, "name": {"Le Réseau"}})
	s.send(t, base+"outcome/A1.2/reference", url.Values{"place": {"https://example.org/a"}, "title": {"a"}})
	long := strings.Repeat("x", 30_000)
	zeros := strings.Repeat("0", 64)
	for _, row := range []struct {
		name, path string
		form       url.Values
		want       string
	}{
		{"level", "outcome/A1.1", url.Values{"rev": {"0"}, "level": {"5"}}, "le formulaire contient un niveau impossible"},
		{"evidence grade", "outcome/A1.1", url.Values{"rev": {"0"}, "evidence": {"E9"}}, "le formulaire contient un degré de preuve impossible"},
		{"note", "outcome/A1.1", url.Values{"rev": {"0"}, "note": {long}}, "la note dépasse la longueur admise"},
		{"reason", "outcome/A1.1", url.Values{"rev": {"0"}, "reason": {"a\x01b"}}, "le motif contient des caractères non imprimables"},
		{"day", "outcome/A1.1", url.Values{"rev": {"0"}, "target": {"3"}, "target_date": {"2031-02-30"}}, "l’échéance de l’objectif n’est pas une date valable"},
		{"revision", "outcome/A1.1", url.Values{"level": {"2"}}, "le formulaire ne dit pas de quoi il est parti"},
		{"revision that never was", "outcome/A1.1", url.Values{"rev": {"99999"}, "level": {"2"}}, "n’a jamais eu la révision"},
		{"outcome", "outcome/Z9.9", url.Values{"rev": {"0"}, "level": {"2"}}, "le référentiel n’a pas ce résultat attendu"},
		{"form too large", "outcome/A1.1", url.Values{"rev": {"0"}, "note": {strings.Repeat("x", 300<<10)}}, "le formulaire est trop volumineux"},
		{"nothing to confirm", "part/outcome/A1.1/grid/confirm", url.Values{"rev": {"0"}}, "l’organisme n’a encore contribué à rien"},
		{"empty comment", "outcome/A1.1/comment", url.Values{}, "le commentaire est vide"},
		{"comment", "outcome/A1.1/comment", url.Values{"text": {long}}, "le commentaire dépasse 5000 octets"},
		{"place", "outcome/A1.1/reference", url.Values{"place": {"https://user:secret@example.org/"}, "title": {"x"}}, "l’emplacement de la pièce n’est pas une adresse https"},
		{"no place", "outcome/A1.1/reference", url.Values{"place": {""}, "title": {"x"}}, "l’emplacement de la pièce est vide"},
		{"place again", "outcome/A1.2/reference", url.Values{"place": {"https://example.org/a"}, "title": {"x"}}, "le résultat attendu a déjà une pièce à cet emplacement"},
		{"contribution", "outcome/A1.1/contribution", url.Values{"rev": {"0"}, "body": {"nobody"}, "level": {"2"}}, "«\u00a0nobody\u00a0»"},
		{"body's id", "bodies/body", url.Values{"rev": {"0"}, "id": {"a b"}, "name": {"x"}}, "l’identifiant de l’organisme ne convient pas"},
		{"body's name", "bodies/body", url.Values{"rev": {"0"}, "id": {"ab"}, "name": {""}}, "le nom de l’organisme est vide"},
		{"body's number", "bodies/section", url.Values{"rev": {"0"}, "id": {"ab"}, "title": {"x"}, "listed": {"grid"}, "units-grid": {"many"}}, "le nombre de ceux de la liste n’est pas un nombre entier"},
		{"body's large number", "bodies/section", url.Values{"rev": {"0"}, "id": {"ab"}, "title": {"x"}, "listed": {"grid"}, "units-grid": {"999999"}}, "le nombre de ceux de la liste est impossible"},
		{"section's day", "bodies/section", url.Values{"rev": {"0"}, "id": {"ab"}, "title": {"x"}, "due": {"soon"}}, "l’échéance n’est pas une date valable"},
		{"needs", "needs", url.Values{"rev": {"0"}, "body": {"grid"}, "what-1": {"x"}, "hours-1": {"many"}}, "ligne 1 du formulaire\u00a0: les heures ne sont pas un nombre entier"},
		{"supplier", "needs", url.Values{"rev": {"0"}, "body": {"grid"}, "what-1": {"x"}, "supplier-1": {strings.Repeat("x", 400)}}, "le fournisseur dépasse 300 octets"},
		{"folder", "evidence/folder", url.Values{"rev": {"0"}, "folder": {"https://example.org/"}}, "le dossier des pièces est une adresse"},
		{"what to do", "evidence/piece", url.Values{"outcome": {"A1.2"}, "id": {"000001"}, "rev": {"1"}}, "le formulaire ne dit pas ce qu’il faut faire"},
		{"finding", "verification/finding", url.Values{"rev": {"0"}, "outcome": {"A1.1"}, "claimed": {"3"}, "verified": {"2"}}, "un niveau vérifié suppose que l’on dise ce qui a été vu"},
		{"opinion", "verification/opinion", url.Values{"digest": {zeros}, "text": {""}}, "l’avis est vide"},
		{"chain", "signoff/chain", url.Values{"step": {"a"}, "name": {long}}, "le nom de l’étape dépasse 300 octets"},
		{"decision", "signoff/decision", url.Values{"step": {"a"}, "digest": {zeros}, "decision": {"approve"}}, "les réponses ont changé depuis l’affichage"},
		{"return", "signoff/decision", url.Values{"step": {"none"}, "digest": {zeros}, "decision": {"return"}}, "les réponses ont changé depuis l’affichage"},
		{"key", "signoff/key", url.Values{"rev": {"0"}, "id": {"k"}, "public": {"zz"}}, "la clé publique est illisible"},
		{"seal", "sealing/seal", url.Values{"passphrase": {"x"}}, "on ne scelle rien depuis ces pages"},
		{"points", "brief/points", url.Values{"rev": {"0"}, "text": {long}, "rule": {""}}, "un élément de langage dépasse 400 octets"},
		{"action", "plan/action", url.Values{"rev": {"0"}, "outcome": {"A1.1"}, "text": {"x"}}, "une action doit avoir un responsable"},
		{"action's day", "plan/action", url.Values{"rev": {"0"}, "outcome": {"A1.1"}, "text": {"x"}, "owner": {"y"}, "due": {"soon"}}, "l’échéance de l’action n’est pas une date valable"},
		{"part", "part/outcome/A1.1/grid", url.Values{"rev": {"0"}, "note": {long}}, "la note dépasse la longueur admise"},
		{"addendum", "sealing/addendum", url.Values{}, "le formulaire n’a pas les deux fichiers"},
		{"release", "standing", url.Values{}, "le formulaire ne peut pas être lu"},
	} {
		path := strings.Replace(base, "/en/", "/fr/", 1) + row.path
		rec := s.do(post(path, row.form))
		if rec.Code < 400 || rec.Code >= 500 {
			t.Errorf("%s: %d", row.name, rec.Code)
			continue
		}
		shown := rec.Body.String()
		if i := strings.Index(shown, "<main"); i >= 0 {
			shown = shown[i:]
		}
		if !strings.Contains(shown, row.want) {
			t.Errorf("%s: the page lacks %q: %s", row.name, row.want, lede(shown))
		}
		if strings.Contains(shown, `lang="en"`) || english.MatchString(lede(shown)) {
			t.Errorf("%s: the page speaks English: %s", row.name, lede(shown))
		}
		r := post(path, row.form)
		r.Header.Set("Accept", "application/json")
		rec = s.do(r)
		var told struct{ Message, Detail string }
		if err := json.Unmarshal(rec.Body.Bytes(), &told); err != nil || told.Detail == "" {
			t.Errorf("%s: the script is told %s", row.name, rec.Body)
		}
		if !strings.Contains(told.Detail, row.want) || english.MatchString(command.ReplaceAllString(told.Message+" "+told.Detail, "")) {
			t.Errorf("%s: the status line says %q", row.name, told.Detail)
		}
	}
	for _, path := range []string{"/fr/survey/2031/nothing/", "/fr/survey/1999/invented/", "/fr/survey/2031/invented/area/Z9", "/fr/nothing"} {
		if shown := lede(s.get(t, path, http.StatusNotFound)); shown == "" || english.MatchString(shown) {
			t.Errorf("GET %s: %s", path, shown)
		}
	}
}

// english finds words that every English refusal has some of and no French one has.
var english = regexp.MustCompile(`(?i)\b(the|is|are|was|has|have|no|not|of|there|this|that|with|to|give|and|such|load|write|put)\b`)

var (
	tag     = regexp.MustCompile(`<[^>]*>`)
	command = regexp.MustCompile(`muster workspace [a-z]+`)
	head    = regexp.MustCompile(`(?s)<section class="lede">.*?</section>|<p class="notice fault".*?</p>`)
)

// lede returns what a page says of a refusal.
func lede(page string) string {
	return strings.Join(strings.Fields(command.ReplaceAllString(tag.ReplaceAllString(strings.Join(head.FindAllString(page, -1), " "), " "), "")), " ")
}
