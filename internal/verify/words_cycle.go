package verify

func rosterWords() map[string]words {
	return map[string]words{
		"receipts":         {"%d receipts are entered for %s, exactly those that the hosts' list counts.", "%d reçus sont inscrits pour %s, exactement ceux que compte la liste des hôtes."},
		"receipts_none":    {"There is no list of submissions of %s yet.", "Il n’y a pas encore de liste des envois de %s."},
		"receipts_early":   {"Receipts of %s are entered and no list of the hosts counts them.", "Des reçus de %s sont inscrits et aucune liste des hôtes ne les compte."},
		"receipts_wrong":   {"The receipts entered for %s are not those that the hosts' list counts.", "Les reçus inscrits pour %s ne sont pas ceux que compte la liste des hôtes."},
		"receipts_whose":   {"Whose the receipts of %s are, only members can see: the list with names is not in this bundle.", "À qui sont les reçus de %s, seuls les membres le voient : la liste nominative n’est pas dans ce dossier."},
		"receipts_opened":  {"Each of the %d receipts of %s is that of the member that the hosts' list names.", "Chacun des %d reçus de %s est celui du membre que nomme la liste des hôtes."},
		"receipt_dropped":  {"The receipt of %s, whose submission the hosts' list counts, is not in the record.", "Le reçu de %s, dont l’envoi est compté par la liste des hôtes, n’est pas au registre."},
		"receipt_swapped":  {"The record has another receipt of %s than the hosts' list.", "Le registre a un autre reçu de %s que la liste des hôtes."},
		"receipts_files":   {"The receipts of %s themselves are not in this bundle.", "Les reçus de %s eux-mêmes ne sont pas dans ce dossier."},
		"receipts_signed":  {"All %d receipts of %s are signed by their members with the keys in the charter.", "Les %d reçus de %s sont tous signés par leurs membres avec les clés de la charte."},
		"receipt_unsigned": {"The receipt of %s is not signed by it, or is of another submission.", "Le reçu de %s n’est pas signé par lui, ou est d’un autre envoi."},
		"own_counts":       {"The submission of %s, number %d, counts.", "L’envoi de %s, numéro %d, compte."},
		"own_struck":       {"The submission of %s, number %d, was on the list and was not accepted: it could not be added up.", "L’envoi de %s, numéro %d, était sur la liste et n’a pas été accepté : il n’a pas pu être additionné."},
		"own_later":        {"Of %s a later submission counts, number %d, and not number %d.", "De %s, c’est un envoi ultérieur qui compte, le numéro %d, et non le numéro %d."},
		"own_other":        {"Of %s the submission %d counts, and you hold the receipt of number %d: somebody replaced it by an older or another one.", "De %s, c’est l’envoi %d qui compte, et vous tenez le reçu du numéro %d : quelqu’un l’a remplacé par un plus ancien ou par un autre."},
		"own_missing":      {"You hold a receipt of %s, and no submission of it is on the hosts' list.", "Vous tenez un reçu de %s, et aucun envoi de lui n’est sur la liste des hôtes."},
		"own_roster":       {"Whether the submission of your receipt %d counts cannot be seen without the list with names.", "Sans la liste nominative, on ne peut voir si l’envoi de votre reçu %d compte."},

		"roster":          {"%d submissions were listed and %d struck, of %d members; at least %d had to be (%s).", "%d envois ont été retenus et %d rayés, de %d membres ; il en fallait au moins %d (%s)."},
		"roster_opened":   {"The list of %s with names, and what was struck from it, is signed by both hosts and is what the record says.", "La liste nominative de %s, et ce qui en a été rayé, est signée par les deux hôtes et conforme au registre."},
		"roster_absent":   {"The list of %s with names is not in this bundle; both hosts' signatures over it are in the record.", "La liste nominative de %s n’est pas dans ce dossier ; les signatures des deux hôtes sont au registre."},
		"roster_wrong":    {"The list of submissions of %s cannot be read, or is not signed by both hosts.", "La liste des envois de %s ne peut être lue, ou n’est pas signée par les deux hôtes."},
		"roster_count":    {"The list has %d submissions and the record says %d (%s).", "La liste a %d envois et le registre en dit %d (%s)."},
		"roster_stranger": {"%s is on the list of submissions and not in the cohort %s.", "%s est sur la liste des envois et non dans la cohorte %s."},
		"roster_many":     {"The list has %d submissions of %d members (%s).", "La liste a %d envois de %d membres (%s)."},
		"roster_few":      {"%d submissions count and %d would be needed to open anything (%s).", "%d envois comptent et il en faudrait %d pour ouvrir quoi que ce soit (%s)."},
		"amendment_wrong": {"Amendment %d of %s, or what it strikes, is not as the record says.", "La rectification %d de %s, ou ce qu’elle raye, n’est pas ce que dit le registre."},
		"strikes_more":    {"The record strikes submissions of %s that no amendment strikes.", "Le registre raye des envois de %s qu’aucune rectification ne raye."},
		"disagreement":    {"The hosts' lists of %s differed once, and nothing was opened then (entry %d).", "Les listes des hôtes pour %s ont différé une fois, et rien n’a alors été ouvert (inscription %d)."},

		"shares":         {"Both hosts entered the fingerprint of their locked half of the totals of %s.", "Les deux hôtes ont inscrit l’empreinte de leur moitié verrouillée des totaux de %s."},
		"shares_missing": {"There is a release, and of both hosts only so many entered the fingerprint of their half: %d (%s).", "Il y a une publication, et des deux hôtes seuls tant ont inscrit l’empreinte de leur moitié : %d (%s)."},
		"shares_few":     {"%d submissions count, %d are needed before anything is opened, and so many hosts have handed over their half all the same: %d (%s).", "%d envois comptent, il en faut %d avant toute ouverture, et tant d’hôtes ont pourtant remis leur moitié : %d (%s)."},
		"shares_both":    {"Halves of %s were handed over under this charter and under the one in its place: whoever has both totals can subtract them.", "Des moitiés de %s ont été remises sous cette charte et sous celle qui la remplace : qui a les deux totaux peut les soustraire."},
		"shares_one":     {"One host has entered the fingerprint of its half of %s.", "Un hôte a inscrit l’empreinte de sa moitié de %s."},
		"shares_none":    {"No host has handed over its half of %s yet.", "Aucun hôte n’a encore remis sa moitié de %s."},
	}
}

func releaseWords() map[string]words {
	return map[string]words{
		"release":            {"The release of %s is signed by the coordinator, of %d of %d members, and says what charter, list and record say.", "La publication de %s est signée par le coordinateur, porte sur %d membres de %d, et dit ce que disent charte, liste et registre."},
		"release_wrong":      {"The release of %s does not say what charter, list and record say.", "La publication de %s ne dit pas ce que disent charte, liste et registre."},
		"release_task":       {"There is a release of a cohort that the charter does not have.", "Il y a une publication d’une cohorte que la charte n’a pas."},
		"release_early":      {"There is a release of %s and no list of submissions.", "Il y a une publication de %s et aucune liste d’envois."},
		"release_roster":     {"The release of %s is of another list than both hosts signed.", "La publication de %s est d’une autre liste que celle que les deux hôtes ont signée."},
		"release_count":      {"The release counts %d submissions and the hosts' list %d (%s).", "La publication compte %d envois et la liste des hôtes %d (%s)."},
		"release_few":        {"There is a release of %d submissions, and the charter wants %d before anything is opened (%s).", "Il y a une publication de %d envois, et la charte en veut %d avant toute ouverture (%s)."},
		"release_unplanned":  {"The charter plans no release of %s.", "La charte ne prévoit pas de publication de %s."},
		"release_absent":     {"The release of %s is not in this bundle; its fingerprint is in the record.", "La publication de %s n’est pas dans ce dossier ; son empreinte est au registre."},
		"approved":           {"Both hosts signed the release of %s.", "Les deux hôtes ont signé la publication de %s."},
		"approval_rehearsal": {"No host signed the release of %[2]s; in a cycle that is marked %[1]s nobody agrees to publish it.", "Aucun hôte n’a signé la publication de %[2]s ; dans un cycle marqué %[1]s, personne n’en accepte la publication."},
		"approval_missing":   {"%[1]d of the two hosts signed the release of %[2]s.", "La publication de %[2]s est signée par %[1]d des deux hôtes."},

		"rule":          {"Run again, the rule gives these bands of %s: no band holds fewer than %[2]d members unless it holds none, and %[3]d members besides the hosts where %[4]d are needed.", "Appliquée de nouveau, la règle donne ces tranches de %s : aucune n’a moins de %[2]d membres à moins d’être vide, et %[3]d membres hors hôtes là où il en faut %[4]d."},
		"rule_broken":   {"The rule would not have shown what the release %s of %s shows, whatever the totals.", "La règle n’aurait pas montré ce que montre la publication %s de %s, quels que soient les totaux."},
		"rule_first":    {"The release %s of %s has the provisional form, which cannot be run again.", "La publication %s de %s a la forme provisoire, qui ne peut être rejouée."},
		"rule_previous": {"The rule for %s needs the release of %s and who was counted then and now, which are not here.", "La règle pour %s demande la publication de %s et qui était compté alors et à présent, ce qui n’est pas ici."},

		"attacked":          {"We tried to work out one member's answer from everything published of %s, and could not; questions: %d, releases: %d.", "Nous avons essayé de deviner la réponse d’un membre d’après tout ce qui est publié de %s, sans y parvenir ; questions : %d, publications : %d."},
		"attack_found":      {"From what is published of %s somebody's answer can be narrowed, in %d places.", "De ce qui est publié de %s, on peut cerner la réponse de quelqu’un, en %d endroits."},
		"attack_open":       {"Whether what is published of %s narrows somebody's answer could not be decided, in %d places.", "On n’a pu décider si ce qui est publié de %s cerne la réponse de quelqu’un, en %d endroits."},
		"attack_impossible": {"No answers at all give what is published of %s.", "Aucune réponse ne donne ce qui est publié de %s."},
		"attack_previous":   {"The release of %s was not attacked: it compares with an earlier one that is not here.", "La publication de %s n’a pas été attaquée : elle compare avec une antérieure qui n’est pas ici."},
		"attack_absent":     {"%d earlier releases that were reckoned with are not here: with them more might follow.", "%d publications antérieures dont il a été tenu compte ne sont pas ici : avec elles on pourrait en déduire plus."},
		"attack_forgot":     {"The earlier release %s of %s, which you have, was not reckoned with.", "Il n’a pas été tenu compte de la publication antérieure %s de %s, que vous avez."},

		"edition":           {"The edition for this audience is in the bundle as it was entered: %s.", "L’édition pour ce public est dans le dossier telle qu’inscrite : %s."},
		"edition_absent":    {"The edition for this audience is not in this bundle; its fingerprint is in the record: %s.", "L’édition pour ce public n’est pas dans ce dossier ; son empreinte est au registre : %s."},
		"edition_release":   {"An edition was drawn from a release that is not in the record: %s.", "Une édition a été tirée d’une publication qui n’est pas au registre : %s."},
		"edition_adopted":   {"The coordinator has entered that this edition was adopted: %s.", "Le coordinateur a inscrit que cette édition est adoptée : %s."},
		"edition_reopened":  {"The record says last that this edition was opened again, not adopted: %s.", "Le registre dit en dernier que cette édition a été rouverte, non adoptée : %s."},
		"edition_unadopted": {"The record does not say that this edition was adopted by silence: %s.", "Le registre ne dit pas que cette édition a été adoptée par silence : %s."},

		"wipe":         {"%s says, signed, that it destroyed its keys at %s. It is stated, not proven.", "%s déclare, et signe, avoir détruit ses clés le %s. C’est déclaré, non prouvé."},
		"wipe_absent":  {"The attestation of the %s is not in this bundle; its fingerprint is in the record.", "L’attestation de ce rôle n’est pas dans ce dossier ; son empreinte est au registre : %s."},
		"wipe_wrong":   {"The attestation of wiping is not as the record says: %s.", "L’attestation d’effacement n’est pas ce que dit le registre : %s."},
		"wipe_missing": {"The %s has not yet attested its wipe, which was due at %s.", "Ce rôle n’a pas encore attesté l’effacement (%s), dû le %s."},

		"sees_small":      {"You used the collector key: the totals that it opens show single members. Keep them to yourself, and destroy what you have when the coordinator wipes.", "Vous avez utilisé la clé du collecteur : les totaux qu’elle ouvre montrent des membres isolés. Gardez-les pour vous, et détruisez ce que vous avez quand le coordinateur efface."},
		"totals_opened":   {"Both hosts' locked halves of %s are those that they entered; they open, every block sums to %d submissions.", "Les moitiés verrouillées des deux hôtes pour %s sont celles qu’ils ont inscrites ; elles s’ouvrent, et chaque bloc fait %d envois."},
		"totals_same":     {"The release of %s is what the rule makes of the totals in the hosts' halves.", "La publication de %s est ce que la règle fait des totaux des moitiés des hôtes."},
		"totals_differ":   {"The release of %s is not what the hosts' halves give.", "La publication de %s n’est pas ce que donnent les moitiés des hôtes."},
		"totals_answer":   {"The Leader's answer for %s is not among what the coordinator gave you.", "La réponse de l’hôte principal pour %s n’est pas parmi ce que le coordinateur vous a donné."},
		"totals_pack":     {"The questions of %s are not here, so the totals cannot be read.", "Les questions de %s ne sont pas ici, donc les totaux ne peuvent être lus."},
		"totals_roster":   {"The list of %s with names is not in this bundle, so the totals cannot be checked against it.", "La liste nominative de %s n’est pas dans ce dossier, donc les totaux ne peuvent lui être comparés."},
		"totals_previous": {"Whether the rule gives the release of %s needs the earlier release, too.", "Pour savoir si la règle donne la publication de %s, il faut aussi la publication antérieure."},
		"totals_none":     {"The bundle has no release to compare with the totals.", "Le dossier n’a pas de publication à comparer aux totaux."},
	}
}
