package verify

import "strings"

// detailWords are what checks say that fail, as the packages say it that make them, in
// English and French; * stands for a name or a number, and the French has as many, in the
// same order.
func detailWords() [][2]string {
	return [][2]string{
		{`entry * of the ledger: *`, `inscription * du registre : *`},
		{`step * of the silence procedure: *`, `étape * de la procédure de silence : *`},
		{`an entry of the ledger cannot be read`, `une inscription du registre ne peut être lue`},
		// Parts of a bundle.
		{`* is not what the entries under it give`, `* n’est pas ce que donnent ses inscriptions`},
		{`* says another root than entries and tiles give`, `* dit une autre racine que celle des inscriptions et des tuiles`},
		{`* has an entry, number * of the ledger, that is not the one that was entered`, `* a une inscription, la numéro * du registre, qui n’est pas celle qui a été inscrite`},
		{`* has not exactly * entries`, `* n’a pas exactement * inscriptions`},
		{`* has not exactly * hashes`, `* n’a pas exactement * empreintes`},
		{`* is of another size than its name, or of another ledger than *`, `* a une autre taille que son nom, ou est d’un autre registre que *`},
		{`* is of a task whose roster is not in the bundle`, `* est d’une tâche dont la liste n’est pas dans le dossier`},
		{`* has not one line for each of * submissions on the roster`, `* n’a pas une ligne pour chacun des * envois de la liste`},
		{`* has a line * that cannot be read`, `* a une ligne * illisible`},
		{`* has a line * that is not the receipt on the roster`, `* a une ligne * qui n’est pas le reçu de la liste`},
		{`* has *, a * that the ledger does not name in this cycle and that no release of it reckons with`, `* a *, de nature *, que le registre ne nomme pas dans ce cycle et dont aucune publication ne tient compte`},
		{`* is not the * that the ledger names`, `* n’est pas ce que nomme le registre (*)`},
		{`* does not belong where it is in the bundle`, `* n’a pas sa place là dans le dossier`},
		{`* names the cycle *, of which the ledger has nothing`, `* nomme le cycle *, dont le registre n’a rien`},
		{`* has a cycle whose name *`, `* a un cycle dont le nom n’est pas permis (*)`},
		{`* has null in place of a list`, `* a null au lieu d’une liste`},
		{`* names too many parts`, `* nomme trop de parties`},
		{`* names a part twice or out of order`, `* nomme une partie deux fois ou hors d’ordre`},
		{`* names a file * of kind *`, `* nomme un fichier * de nature *`},
		{`* names a task *`, `* nomme une tâche *`},
		{`* is of kind *`, `* est de nature *`},
		{`* is behind the first * bytes of the bundle, and no more are read`, `* est au-delà des * premiers octets du dossier, et rien de plus n’est lu`},
		{`* of the ledger is missing`, `* du registre manque`},
		{`* of the ledger is longer than * bytes`, `* du registre dépasse * octets`},
		{`* of the ledger is no regular file: *`, `* du registre n’est pas un fichier ordinaire : *`},
		{`it is, or lies behind, a link`, `c’est un lien, ou il est derrière un lien`},
		{`it is a pipe`, `c’est un tube`},
		{`it is a device`, `c’est un périphérique`},
		{`it is a folder`, `c’est un dossier`},
		{`it is something else`, `c’est autre chose`},
		{`* of the ledger is not a regular file`, `* du registre n’est pas un fichier ordinaire`},
		{`* of the ledger cannot be read`, `* du registre ne peut être lu`},
		{`the bundle is no archive as muster writes it, *`, `le dossier n’est pas une archive telle que muster l’écrit, *`},
		{`entries * and * of the ledger are about the same`, `les inscriptions * et * du registre ont le même objet`},
		// Checkpoints.
		{`the checkpoint is no signed note`, `le point de contrôle n’est pas une note signée`},
		{`the checkpoint is not three lines: origin, number of entries, root`, `le point de contrôle n’a pas trois lignes : origine, nombre d’inscriptions, racine`},
		{`the checkpoint is not signed by the ledger *`, `le point de contrôle n’est pas signé par le registre *`},
		{`the checkpoint is of the ledger *, not of *`, `le point de contrôle est du registre *, et non de *`},
		{`the checkpoint does not count as seen by *: *`, `le point de contrôle ne compte pas comme vu par * : *`},
		{`the policy wants * of * witnesses`, `la politique veut * témoins sur *`},
		{`the policy has the key of the witness * twice`, `la politique a deux fois la clé du témoin *`},
		{`by the word of *`, `sur la parole de *`},
		{`* of * witnesses have seen the checkpoint, and * must have; not yet *`, `* témoins sur * ont vu le point de contrôle, et il en faut * ; pas encore *`},
		{`the ledger has * entries and had * before: it was cut, or turned back`, `le registre a * inscriptions et en avait * : il a été coupé, ou ramené en arrière`},
		{`the ledger of * entries does not follow from that of * entries`, `le registre de * inscriptions ne découle pas de celui de * inscriptions`},
		// Entries and signatures.
		{`the entry * of the ledger is not signed by the coordinator`, `l’inscription * du registre n’est pas signée par le coordinateur`},
		{`the entry * of the ledger has more signatures than the coordinator's`, `l’inscription * du registre a d’autres signatures que celle du coordinateur`},
		{`the entry * of the ledger is of the cycle *, and its charter of *`, `l’inscription * du registre est du cycle *, et sa charte de *`},
		{`the entry * of the ledger has other signatures than it needs, or in another order`, `l’inscription * du registre n’a pas les signatures qu’il faut, ou pas dans leur ordre`},
		{`no entry of the cycle is of this charter: *`, `aucune inscription du cycle n’est de cette charte : *`},
		{`the signature is not about this *`, `la signature ne porte pas sur ce fichier (*)`},
		{`the signature of the * by * is not in canonical form`, `la signature (*) de * n’est pas en forme canonique`},
		{`the * is not signed by *`, `cela (*) n’est pas signé par *`},
		{`the ledger has * receipts and the roster counts * submissions`, `le registre a * reçus et la liste compte * envois`},
		{`the receipts in the ledger are not those that the roster's entry counts`, `les reçus du registre ne sont pas ceux que compte l’inscription de la liste`},
		{`the ledger has * strikes and the amendment counts *`, `le registre a * radiations et la rectification en compte *`},
		{`the strikes in the ledger are not those that the amendment's entry counts`, `les radiations du registre ne sont pas celles que compte l’inscription de la rectification`},
		{`the ledger has a strike that is in no amendment`, `le registre a une radiation qui n’est dans aucune rectification`},
		{`the ledger has not every strike of the amendments`, `le registre n’a pas toutes les radiations des rectifications`},
		{`the amendment does not follow from the roster and those before it`, `la rectification ne découle pas de la liste et des précédentes`},
		{`the receipt is of another submission than the roster counts`, `le reçu est d’un autre envoi que celui que compte la liste`},
		{`the receipt cannot be read`, `le reçu ne peut être lu`},
		{`the roster cannot be read`, `la liste ne peut être lue`},
		{`the addendum does not follow from the charter and the addenda before it`, `le report ne découle pas de la charte et des précédents`},
		// Adoption and phases.
		{`the entry says another thing than the step`, `l’inscription dit autre chose que l’étape`},
		{`the chair says that nobody broke the silence, and has acknowledged a break of it`, `le président dit que personne n’a rompu le silence, et a accusé réception d’une rupture`},
		{`the chair received a break before the silence was over and calls it late`, `le président a reçu une rupture avant la fin du silence et la dit tardive`},
		{`the acknowledgement is of no round that these steps have`, `l’accusé de réception n’est d’aucun tour de ces étapes`},
		{`a cycle cannot go from * to *`, `un cycle ne peut passer de * à *`},
		{`the step from * to * needs a reason`, `le passage de * à * demande un motif`},
		// Releases.
		{`the release is of another coalition, cycle or cohort, or has another marking`, `la publication est d’une autre coalition, d’un autre cycle ou d’une autre cohorte, ou porte une autre marque`},
		{`the release names another charter`, `la publication nomme une autre charte`},
		{`the release names another roster than its entry`, `la publication nomme une autre liste que son inscription`},
		{`the release counts * submissions and its entry *`, `la publication compte * envois et son inscription *`},
		{`the release names another framework than the charter`, `la publication nomme d’autres questions que la charte`},
		{`the release names other hosts than the charter`, `la publication nomme d’autres hôtes que la charte`},
		{`the release gives other days than charter and postponements`, `la publication donne d’autres jours que la charte et les reports`},
		{`the release is of a cohort of *, and the charter's has *`, `la publication est d’une cohorte de *, et celle de la charte en a *`},
		{`the release was held to other thresholds than the charter's`, `la publication a été tenue à d’autres seuils que ceux de la charte`},
		{`the release was made by another rule than the charter chose`, `la publication a été faite par une autre règle que celle de la charte`},
		{`the release counts * hosts among its members, and the roster has *`, `la publication compte * hôtes parmi ses membres, et la liste en a *`},
		{`the release has other areas or outcomes than its framework`, `la publication a d’autres domaines ou résultats que ses questions`},
		{`the release does not list the blocks of which it shows nothing, with the reasons that they have`, `la publication ne nomme pas les blocs dont elle ne montre rien, avec leurs motifs`},
		{`the release * of * shows * in bands that its rule does not make`, `la publication * de * montre * en tranches que sa règle ne fait pas`},
		{`the earlier release is of another cycle, cohort or questions than the later one says`, `la publication antérieure est d’un autre cycle, d’une autre cohorte ou d’autres questions que ne le dit la suivante`},
		{`the earlier release counts other submissions than its list`, `la publication antérieure compte d’autres envois que sa liste`},
		{`an earlier list of submissions cannot be read`, `une liste antérieure d’envois ne peut être lue`},
		{`an earlier list of submissions has more amendments than there can be`, `une liste antérieure d’envois a plus de rectifications qu’il ne peut y en avoir`},
		{`the questions are written in another form than the one that the digest is of`, `les questions sont écrites sous une autre forme que celle de l’empreinte`},
		{`files/*:*:*: *`, `files/*, ligne *, colonne * : *`},
		// The wipe and the totals.
		{`the entry says another thing than the attestation`, `l’inscription dit autre chose que l’attestation`},
		{`the Leader's answer cannot be read`, `la réponse de l’hôte principal ne peut être lue`},
		{`the share of the * is not the one that it entered`, `la moitié (*) n’est pas celle qui a été inscrite`},
		{`the totals in the hosts' shares give another release`, `les totaux des moitiés des hôtes donnent une autre publication`},
		{`* cannot be read`, `* ne peut être lu`},
	}
}

// inFrench returns what a check said in French, where there are words for it.
func inFrench(detail string) string {
	for _, w := range detailWords() {
		found, ok := match(w[0], detail)
		if !ok {
			continue
		}
		if strings.HasSuffix(w[0], ": *") { // what another check said is behind it
			last := len(found) - 1
			if fr := inFrench(found[last]); fr != "" {
				found[last] = fr
			}
		}
		var text strings.Builder
		for i, part := range strings.Split(w[1], "*") { // what stands for a * may have one in it
			if i > 0 {
				text.WriteString(found[i-1])
			}
			text.WriteString(part)
		}
		return text.String()
	}
	return ""
}

// match returns what stands for each * of a pattern in a text.
func match(pattern, text string) ([]string, bool) {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return nil, false
	}
	var found []string
	for i, part := range parts[1:] {
		at := strings.Index(rest, part)
		if i == len(parts)-2 { // the last goes to the end
			at = len(rest) - len(part)
			if at < 0 || rest[at:] != part {
				return nil, false
			}
		}
		if at < 1 {
			return nil, false
		}
		found, rest = append(found, rest[:at]), rest[at+len(part):]
	}
	return found, rest == ""
}
