package workspace_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"muster/internal/assess"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
	"muster/internal/workspace"
)

const books = base + "bodies/workbooks"

// drawn finds the passwords that a page says.
var drawn = regexp.MustCompile(`<code class="password">([a-z2-9-]+)</code>`)

// give gives out the workbooks of bodies and returns what the browser gets, with the
// passwords.
func (s *site) giveOut(t testing.TB, more url.Values, bodies ...string) ([]byte, []string) {
	t.Helper()
	form := url.Values{"body": bodies, "language": {"en"}}
	for name, values := range more {
		form[name] = values
	}
	rec := s.do(post(books+"/give", form))
	if rec.Code != http.StatusOK {
		t.Fatalf("give: %d\n%s", rec.Code, rec.Body)
	}
	var passwords []string
	for _, m := range drawn.FindAllStringSubmatch(rec.Body.String(), -1) {
		passwords = append(passwords, m[1])
	}
	if len(passwords) != len(bodies) {
		t.Fatalf("the page says %d passwords, want %d\n%s", len(passwords), len(bodies), rec.Body)
	}
	form["password"] = passwords
	rec = s.do(post(books+"/file", form))
	if rec.Code != http.StatusOK || !strings.HasPrefix(rec.Header().Get("Content-Disposition"), "attachment") || rec.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("file: %d %v\n%s", rec.Code, rec.Header(), rec.Body)
	}
	return rec.Body.Bytes(), passwords
}

// typed returns a workbook into whose rows somebody has typed: by outcome, by id of the
// column.
func typed(t testing.TB, data []byte, password string, rows map[string]map[string]any) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	done := 0
	for _, sheet := range f.GetSheetList() {
		cells, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		columns := make(map[string]int)
		for i, row := range cells {
			if slices.Contains(row, "revision") && slices.Contains(row, "level") {
				for j, id := range row {
					columns[id] = j + 1
				}
				continue
			}
			if columns["outcome"] == 0 || len(row) < columns["outcome"] {
				continue
			}
			for id, value := range rows[row[columns["outcome"]-1]] {
				name, err := excelize.CoordinatesToCellName(columns[id], i+1)
				if err == nil {
					err = f.SetCellValue(sheet, name, value)
				}
				if err != nil {
					t.Fatal(err)
				}
				done++
			}
		}
	}
	want := 0
	for _, cells := range rows {
		want += len(cells)
	}
	if done != want {
		t.Fatalf("typed into %d cells, want %d", done, want)
	}
	var out bytes.Buffer
	if err := f.Write(&out, excelize.Options{Password: password}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sendFile returns the request by which a form brings a file.
func sendFile(t testing.TB, path string, fields map[string]string, file []byte) *http.Request {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for name, value := range fields {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", "back.xlsx")
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, &b)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return r
}

var waitingID = regexp.MustCompile(`name="id" value="([a-z2-9-]+)"`)

// look sends a file and returns what the page says would become of it, and the id by
// which it is taken in.
func (s *site) look(t testing.TB, fields map[string]string, file []byte) (body, id string) {
	t.Helper()
	before := revisions(t, s)
	rec := s.do(sendFile(t, books+"/read", fields, file))
	if rec.Code != http.StatusOK {
		t.Fatalf("read: %d\n%s", rec.Code, rec.Body)
	}
	if after := revisions(t, s); after != before {
		t.Error("looking at a file has saved something")
	}
	m := waitingID.FindStringSubmatch(rec.Body.String())
	if m == nil {
		t.Fatalf("the page has nothing to take in\n%s", rec.Body)
	}
	return rec.Body.String(), m[1]
}

func (s *site) level(t testing.TB, outcome, body string) framework.Level {
	t.Helper()
	all, err := s.Contributions(t.Context(), s.Lead, s.survey, outcome)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Body == body {
			return c.Level
		}
	}
	return framework.None
}

func says(t testing.TB, what, body string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(body, w) {
			t.Errorf("%s does not say %q\n%s", what, w, body)
		}
	}
}

// A body's workbook goes out with a password that is said once, is filled in elsewhere,
// comes back, is looked at, and is taken in; who has one and who brought it back stays.
func TestWorkbookGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := shared(t)
	list := s.get(t, books, http.StatusOK)
	says(t, "the list", list, "The port", "The grid", "Ostmere as a whole", "not given out", "1 of 6", "20 March 2031")
	file, passwords := s.giveOut(t, url.Values{"form": {"1"}}, "port")
	if _, err := excelize.OpenReader(bytes.NewReader(file)); err == nil {
		t.Error("the workbook opens without its password")
	}
	list = s.get(t, books, http.StatusOK)
	says(t, "the list", list, "is out", "Asta Lind")
	if strings.Contains(list, passwords[0]) {
		t.Error("the password is said again")
	}
	for _, secret := range []string{othersNote, membersNote} {
		plain, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{Password: passwords[0]})
		if err != nil {
			t.Fatal(err)
		}
		for _, sheet := range plain.GetSheetList() {
			rows, _ := plain.GetRows(sheet)
			if strings.Contains(fmt.Sprint(rows), secret) {
				t.Errorf("the port's workbook has %q", secret)
			}
		}
	}
	back := typed(t, file, passwords[0], map[string]map[string]any{
		"A1.2": {"level": 3, "note": "counted on the quays"}, "A1.3": {"level": 1}, "A1.1": {"note": ""},
	})
	fields := map[string]string{"body": "port", "password": passwords[0]}
	body, id := s.look(t, fields, back)
	says(t, "the preview", body, "What the workbook of The port would change", "2 rows would be taken.", "Nothing has been taken in yet.", "counted on the quays", "muster", "!")
	if s.level(t, "A1.2", "port") != framework.None {
		t.Error("the preview has saved something")
	}
	rec := s.do(post(books+"/take", url.Values{"id": {id}}))
	if rec.Code != http.StatusOK {
		t.Fatalf("take: %d\n%s", rec.Code, rec.Body)
	}
	says(t, "the report", rec.Body.String(), "The workbook of The port was taken in", "2 rows were taken.")
	if got := s.level(t, "A1.2", "port"); got != framework.Level3 {
		t.Errorf("A1.2 is at %v", got)
	}
	says(t, "the list", s.get(t, books, http.StatusOK), "came back", "2 rows taken.", "3 of 6")
	says(t, "the French list", s.get(t, strings.Replace(books, "/en/", "/fr/", 1), http.StatusOK), "revenu", "2 lignes reprises.")
	if rec := s.do(post(books+"/take", url.Values{"id": {id}})); rec.Code != http.StatusNotFound {
		t.Errorf("the same again: %d", rec.Code)
	}
	if s.log.Len() > 0 {
		t.Errorf("the log has %s", s.log)
	}
}

// What was changed in both places is asked about, cell by cell; what is not decided
// stays, and what was decided about another revision than the one that is there counts
// for nothing.
func TestWorkbookConflicts(t *testing.T) {
	t.Parallel()
	s := shared(t)
	file, passwords := s.giveOut(t, nil, "port")
	change := func(outcome string, level framework.Level) {
		t.Helper()
		var rev workspace.Revision
		all, err := s.Contributions(t.Context(), s.Lead, s.survey, outcome)
		for _, c := range all {
			if c.Body == "port" {
				rev = c.Rev
			}
		}
		if err == nil {
			_, err = s.Contribute(t.Context(), s.Lead, s.survey, outcome, rev, assess.Contribution{Body: "port", Level: level})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, outcome := range []string{"A1.2", "A1.3", "A1.4"} {
		change(outcome, framework.Level1)
	}
	back := typed(t, file, passwords[0], map[string]map[string]any{
		"A1.2": {"level": 3}, "A1.3": {"level": 3}, "A1.4": {"level": 3}, "A1.5": {"level": 2},
	})
	fields := map[string]string{"body": "port", "password": passwords[0]}
	body, id := s.look(t, fields, back)
	says(t, "the preview", body, "1 row would be taken.", "3 rows are in conflict.", "Which counts?", `name="take-0" value="theirs"`, `name="take-2" value="mine"`)
	if strings.Contains(body, "checked") {
		t.Error("something is decided already")
	}
	change("A1.4", framework.Level0) // after she has looked
	rec := s.do(post(books+"/take", url.Values{"id": {id}, "take-0": {"mine"}, "take-1": {"theirs"}, "take-2": {"mine"}}))
	body = rec.Body.String()
	says(t, "the report", body, "2 rows were taken.", "1 row is in conflict.", "Keep what I decided")
	for outcome, want := range map[string]framework.Level{"A1.2": framework.Level3, "A1.3": framework.Level1, "A1.4": framework.Level0, "A1.5": framework.Level2} {
		if got := s.level(t, outcome, "port"); got != want {
			t.Errorf("%s is at %v, want %v", outcome, got, want)
		}
	}
	m := waitingID.FindStringSubmatch(body)
	if m == nil {
		t.Fatal("what is left cannot be decided")
	}
	// What was decided for what is here is decided for good: it is asked no more.
	if n := strings.Count(body, `value="mine"`); n != 1 {
		t.Errorf("%d cells are asked about, want 1\n%s", n, body)
	}
	says(t, "the report", s.do(post(books+"/take", url.Values{"id": {m[1]}, "take-0": {"mine"}})).Body.String(), "1 row was taken.")
	if got := s.level(t, "A1.4", "port"); got != framework.Level3 {
		t.Errorf("A1.4 is at %v", got)
	}
}

// A file that is not what it should be is refused with the reason, in the page's
// language, and nothing of it is there.
func TestWorkbookRefused(t *testing.T) {
	t.Parallel()
	s := shared(t)
	file, passwords := s.giveOut(t, nil, "port")
	others, othersPassword := s.giveOut(t, nil, "grid")
	own, ownPassword := s.giveOut(t, nil, "")
	bomb := func() []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		part, err := z.Create("xl/workbook.xml")
		if err == nil {
			_, err = part.Write(make([]byte, 80<<20))
		}
		if err == nil {
			err = z.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}()
	before := revisions(t, s)
	for _, row := range []struct {
		name   string
		fields map[string]string
		file   []byte
		en, fr string
	}{
		{"no file", map[string]string{"body": "port"}, nil, "no file was chosen.", "aucun fichier n’a été choisi"},
		{"no password", map[string]string{"body": "port"}, file, "the workbook has a password.", "le classeur est protégé par un mot de passe."},
		{"a wrong password", map[string]string{"body": "port", "password": "x"}, file, "the password does not open the workbook.", "le mot de passe n’ouvre pas le classeur."},
		{"another body's", map[string]string{"body": "port", "password": othersPassword[0]}, others, "the file is that of", "le fichier est celui de"},
		{"a body's as the member's", map[string]string{"body": "", "password": passwords[0]}, file, "the file is that of the body", "le fichier est celui de l’organisme"},
		{"the member's as a body's", map[string]string{"body": "port", "password": ownPassword[0]}, own, "the row is of the member as a whole", "la ligne est celle du membre dans son ensemble"},
		{"cut off", map[string]string{"body": "port"}, file[:len(file)/2], "damaged or cut off", "endommagé ou tronqué"},
		{"no workbook", map[string]string{"body": "port"}, []byte("%PDF-1.7 and so on"), "neither answers nor the form", "ni réponses ni formulaire"},
		{"a bomb", map[string]string{"body": "port"}, bomb, "larger than 64 MiB when unpacked", "dépasse 64 Mio une fois décompressé"},
		{"too large", map[string]string{"body": "port"}, make([]byte, workbook.MaxSize+1), "larger than any workbook", "plus grand que tout classeur"},
		{"far too large", map[string]string{"body": "port"}, make([]byte, 2*workbook.MaxSize), "larger than any workbook", "plus grand que tout classeur"},
		{"a date that is none", map[string]string{"body": ""}, []byte("id,target_date\n2031/invented/A1.2,30/06/2031\n"), "is no day that can be a target", "n’est pas un jour qui puisse être une échéance"},
		{"no evidence grade", map[string]string{"body": "port"}, []byte("id,evidence\n2031/invented/A1.2@port,much\n"), "is not one of the choices", "ce n’est pas un des choix"},
		{"no target", map[string]string{"body": ""}, []byte("id,target,flagged\n2031/invented/A1.2,9,perhaps\n"), "is not one of the choices", "ce n’est pas un des choix"},
		{"no hours", map[string]string{"body": "port"}, []byte("what,hours\nPower,many\n"), "is no number of hours", "ce n’est pas un nombre d’heures"},
		{"a formula", map[string]string{"body": "port"}, []byte("id,level\n2031/invented/A1.2@port,=1+1\n"), "the cell holds a formula", "la cellule contient une formule"},
	} {
		for lang, want := range map[string]string{"en": row.en, "fr": row.fr} {
			rec := s.do(sendFile(t, strings.Replace(books, "/en/", "/"+lang+"/", 1)+"/read", row.fields, row.file))
			if rec.Code != http.StatusUnprocessableEntity || !strings.Contains(rec.Body.String(), want) {
				t.Errorf("%s, %s: %d, want %q\n%s", row.name, lang, rec.Code, want, rec.Body)
			}
			if body := rec.Body.String(); lang == "fr" && strings.Contains(body[strings.Index(body, "<main"):], `lang="en"`) {
				t.Errorf("%s: a French page speaks English\n%s", row.name, body)
			}
			if waitingID.MatchString(rec.Body.String()) {
				t.Errorf("%s: something can be taken in", row.name)
			}
		}
	}
	if after := revisions(t, s); after != before {
		t.Error("something was saved")
	}
	for name, form := range map[string]url.Values{
		"no password":           {"body": {"port"}},
		"a password of nobody":  {"body": {"port"}, "password": {"secret"}},
		"one password for two":  {"body": {"port", "grid"}, "password": {passwords[0]}},
		"the same body twice":   {"body": {"port", "port"}, "password": {passwords[0], passwords[0]}},
		"a language of no pack": {"body": {"port"}, "password": {passwords[0]}, "language": {"xx"}},
		"nobody":                {},
	} {
		if rec := s.do(post(books+"/file", form)); rec.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d\n%s", name, rec.Code, rec.Body)
		}
	}
	if after := revisions(t, s); after != before {
		t.Error("a workbook that was not given out was kept as given")
	}
}

// Several workbooks go out together, each with a password of its own; the member's own
// comes back as one.
func TestWorkbooksOfSeveral(t *testing.T) {
	t.Parallel()
	s := shared(t)
	archive, passwords := s.giveOut(t, nil, "grid", "", "port")
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for i, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		if _, err := excelize.OpenReader(bytes.NewReader(b.Bytes()), excelize.Options{Password: passwords[i]}); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		files[f.Name] = b.Bytes()
	}
	if slices.Compact(slices.Sorted(slices.Values(passwords)))[2] == "" || passwords[0] == passwords[1] {
		t.Error("two have the same password")
	}
	own, ok := files["muster-2031-invented.xlsx"]
	if len(files) != 3 || !ok || files["muster-2031-invented-port.xlsx"] == nil {
		t.Fatalf("the archive has %d files", len(files))
	}
	back := typed(t, own, passwords[1], map[string]map[string]any{"A2.2": {"level": 4, "target_date": "2032-01-01"}})
	body, id := s.look(t, map[string]string{"body": "", "password": passwords[1]}, back)
	says(t, "the preview", body, "What the workbook of Ostmere as a whole would change", "1 row would be taken.", "1 January 2032")
	s.do(post(books+"/take", url.Values{"id": {id}}))
	entry, err := s.Entry(t.Context(), s.Lead, s.survey, "A2.2")
	if err != nil || entry.Entry.Level != framework.Level4 {
		t.Errorf("kept %+v: %v", entry, err)
	}
}
