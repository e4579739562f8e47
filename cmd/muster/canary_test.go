package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/dap"
	"muster/internal/config"
)

// TestHostsLogNoSecrets takes a cycle through both hosts, at the level at which
// they say most, and looks in what they have said for every key of either, and
// for a submission's shares as they are when they are opened.
func TestHostsLogNoSecrets(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	for _, host := range hostFolders {
		c.configure(host, "level: info", "level: debug")
	}
	canaries := make(map[string][]string) // the texts that give it away, by what it is
	for _, host := range hostFolders {
		for _, name := range c.secretsOf(host) {
			if name == "tls.crt" {
				continue
			}
			path := c.at(host, "keys", name)
			body, err := os.ReadFile(path)
			check(t, err)
			canaries[filepath.Join(host, name)] = secretForms(t, path, string(body))
		}
	}
	if len(canaries) != 2*6 {
		t.Fatalf("%d keys to look for", len(canaries))
	}
	c.serve()
	logs := make(map[string]*buffer)
	for _, host := range hostFolders {
		logs[host] = c.running[host].log
	}
	c.deliver(upTo(7)...)
	for role, forms := range c.deliverOpened(7) {
		canaries["an opened share of the "+role] = forms
	}
	c.clock.Store(hostingDeadline)
	c.must("host", "freeze", "--dir", c.at("ostmere"))
	c.wantTotals(upTo(8)...)
	c.clock.Store(hostingWipe)
	for _, host := range hostFolders {
		c.must("host", "wipe", "--dir", c.at(host), "--yes")
		c.ended(host)
	}
	for host, log := range logs {
		text := log.String()
		for _, route := range []string{"/receipts", "level=INFO"} { // it is the log of the cycle that is looked at
			if !strings.Contains(text, route) {
				t.Errorf("the log of %s has no %s:\n%s", host, route, text)
			}
		}
		for what, forms := range canaries {
			for _, form := range forms {
				if strings.Contains(text, form) {
					t.Errorf("the log of %s holds %s", host, what)
				}
			}
		}
	}
}

// deliverOpened delivers the submission of the n-th member and returns, by role,
// the forms of what the host sees when it opens its half.
func (c *hosting) deliverOpened(n int) map[string][]string {
	c.t.Helper()
	sealer, answers, leader, helper := c.member(n)
	sealed, err := sealer.Seal(answers, nil, 1)
	check(c.t, err)
	check(c.t, sealer.Deliver(c.t.Context(), sealed, leader, helper))
	charter, _, _ := c.charter()
	task, err := charter.OpenTask("allies")
	check(c.t, err)
	req, err := dap.Decode[dap.UploadRequest](task.Variant, sealed.Upload)
	check(c.t, err)
	report := req.Reports[0]
	aad, err := dap.NewTaskAad(task.Variant, task.ID, task.Configuration)
	check(c.t, err)
	of, err := aad.Report(report.ReportMetadata, report.PublicShare)
	check(c.t, err)
	opened := make(map[string][]string)
	for i, sealed := range []dap.HpkeCiphertext{report.LeaderEncryptedInputShare, report.HelperEncryptedInputShare} {
		role := []dap.Role{dap.RoleLeader, dap.RoleHelper}[i]
		pairs, err := config.KeyFolder{Dir: c.at(hostFolders[i], "keys")}.HPKE()
		check(c.t, err)
		share, err := of.Open(pairs[0], role, sealed)
		check(c.t, err)
		opened[role.String()] = shareForms(c.t, share.Payload)
	}
	return opened
}

// shareForms are the texts in which the beginning of a share may appear.
func shareForms(t *testing.T, share []byte) []string {
	t.Helper()
	if len(share) < 32 {
		t.Fatalf("a share of %d bytes", len(share))
	}
	head := share[:24]
	numbers := strings.Trim(fmt.Sprint(head), "[]")
	forms := []string{string(head), hex.EncodeToString(head), strings.ToUpper(hex.EncodeToString(head)), numbers, strings.ReplaceAll(numbers, " ", ",")}
	for shift := range 3 { // base64 of the same bytes at another place looks different
		padded := append(make([]byte, shift), head...)
		forms = append(forms, base64.RawStdEncoding.EncodeToString(padded)[4:28], base64.RawURLEncoding.EncodeToString(padded)[4:28])
	}
	return forms
}
