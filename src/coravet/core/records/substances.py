"""Active substances by the names that vets write, and which of them are kin.

A modest table of what is common in small-animal practice, not a pharmacopoeia: it makes a warning better and nothing
depends on it. Sources: names are the WHO's international non-proprietary ones, English and Spanish, with older and
usual ones beside them; kinship follows the ATCvet index (WHO Collaborating Centre for Drug Statistics Methodology),
whose group stands beside each class. Penicillins and cephalosporins count as kin, since labels of the latter name an
allergy to any beta-lactam as a contraindication (cefovecin, EMA product information).
"""

import re

from coravet.core.kernel.text import fold

_SUBSTANCES: dict[str, str] = {
    # QJ01C
    "penicillins": """
        amoxicillin: amoxicilina
        ampicillin: ampicilina
        benzylpenicillin: bencilpenicilina, penicillin g, penicilina g, procaine penicillin, penicilina procainica
        cloxacillin: cloxacilina
        dicloxacillin: dicloxacilina
        oxacillin: oxacilina
        piperacillin: piperacilina
        ticarcillin: ticarcilina
    """,
    # QJ01D
    "cephalosporins": """
        cefalexin: cefalexina, cephalexin
        cefadroxil: cefadroxilo
        cefazolin: cefazolina
        cefixime: cefixima
        cefotaxime: cefotaxima
        cefquinome: cefquinoma
        cefuroxime: cefuroxima
        ceftriaxone: ceftriaxona
        ceftiofur: ceftiofur
        cefovecin: cefovecina
    """,
    # QJ01MA
    "fluoroquinolones": """
        enrofloxacin: enrofloxacina, enrofloxacino
        marbofloxacin: marbofloxacina, marbofloxacino
        ciprofloxacin: ciprofloxacina, ciprofloxacino
        orbifloxacin: orbifloxacina, orbifloxacino
        pradofloxacin: pradofloxacina, pradofloxacino
    """,
    # QJ01AA
    "tetracyclines": """
        doxycycline: doxiciclina
        minocycline: minociclina
        oxytetracycline: oxitetraciclina
        tetracycline: tetraciclina
    """,
    # QJ01EQ, QJ01EW
    "sulfonamides": """
        sulfadiazine: sulfadiazina, sulfadiacina
        sulfadimethoxine: sulfadimetoxina
        sulfadimidine: sulfadimidina, sulfamethazine, sulfametazina
        sulfamethoxazole: sulfametoxazol
    """,
    # QJ01G
    "aminoglycosides": """
        amikacin: amikacina
        gentamicin: gentamicina
        neomycin: neomicina
        streptomycin: estreptomicina
        tobramycin: tobramicina
    """,
    # QJ01FA
    "macrolides": """
        azithromycin: azitromicina
        erythromycin: eritromicina
        spiramycin: espiramicina
        tylosin: tilosina
    """,
    # QJ01FF
    "lincosamides": """
        clindamycin: clindamicina
        lincomycin: lincomicina
    """,
    # QJ01BA
    "amphenicols": """
        chloramphenicol: cloranfenicol
        florfenicol: florfenicol
    """,
    # QM01A, QN02BA
    "nsaids": """
        acetylsalicylic acid: acido acetilsalicilico, aspirin, aspirina
        carprofen: carprofeno
        firocoxib: firocoxib
        flunixin: flunixina, flunixino
        ketoprofen: ketoprofeno
        meloxicam: meloxicam
        piroxicam: piroxicam
        robenacoxib: robenacoxib
        tolfenamic acid: acido tolfenamico
    """,
    # QH02AB
    "glucocorticoids": """
        betamethasone: betametasona
        dexamethasone: dexametasona
        hydrocortisone: hidrocortisona
        methylprednisolone: metilprednisolona
        prednisolone: prednisolona
        prednisone: prednisona
        triamcinolone: triamcinolona
    """,
    # QN02A
    "opioids": """
        buprenorphine: buprenorfina
        butorphanol: butorfanol
        fentanyl: fentanilo
        methadone: metadona
        morphine: morfina
        tramadol: tramadol
    """,
    # QN01BB
    "amide_anaesthetics": """
        bupivacaine: bupivacaina
        lidocaine: lidocaina
    """,
    # QP54A
    "macrocyclic_lactones": """
        doramectin: doramectina
        eprinomectin: eprinomectina
        ivermectin: ivermectina
        milbemycin oxime: milbemicina oxima, milbemycin, milbemicina
        moxidectin: moxidectina
        selamectin: selamectina
    """,
    # QP52AC
    "benzimidazoles": """
        albendazole: albendazol
        febantel: febantel
        fenbendazole: fenbendazol
        flubendazole: flubendazol
        mebendazole: mebendazol
        oxfendazole: oxfendazol
    """,
    # QP53BE
    "isoxazolines": """
        afoxolaner: afoxolaner
        fluralaner: fluralaner
        lotilaner: lotilaner
        sarolaner: sarolaner
    """,
    # QP53AC
    "pyrethroids": """
        cypermethrin: cipermetrina
        deltamethrin: deltametrina
        flumethrin: flumetrina
        permethrin: permetrina
    """,
    # QJ02AB, QJ02AC
    "azole_antifungals": """
        fluconazole: fluconazol
        itraconazole: itraconazol
        ketoconazole: ketoconazol
    """,
    # Kin of nothing else here.
    "alone": """
        acepromazine: acepromazina, acepromacina
        amitraz: amitraz
        atropine: atropina
        benazepril: benazepril, benazeprilo
        chlorphenamine: clorfenamina, chlorpheniramine, clorfeniramina
        ciclosporin: ciclosporina, cyclosporine
        clavulanic acid: acido clavulanico, clavulanate, clavulanato
        dexmedetomidine: dexmedetomidina
        diphenhydramine: difenhidramina
        emodepside: emodepsida
        enalapril: enalapril, enalaprilo
        epinephrine: epinefrina, adrenaline, adrenalina
        fipronil: fipronil, fipronilo
        furosemide: furosemida
        imidacloprid: imidacloprid
        ketamine: ketamina
        levamisole: levamisol
        maropitant: maropitant
        metamizole: metamizol, dipyrone, dipirona
        metoclopramide: metoclopramida
        metronidazole: metronidazol
        nitenpyram: nitenpiram
        oclacitinib: oclacitinib
        omeprazole: omeprazol
        ondansetron: ondansetron
        paracetamol: acetaminophen, acetaminofen
        phenobarbital: fenobarbital
        phytomenadione: fitomenadiona, vitamin k1, vitamina k1
        pimobendan: pimobendan
        praziquantel: prazicuantel
        propofol: propofol
        pyrantel: pirantel
        ranitidine: ranitidina
        spinosad: spinosad
        toltrazuril: toltrazuril, toltrazurilo
        trimethoprim: trimetoprima, trimetoprim
        xylazine: xilazina, xilacina
    """,
}
"""By class: the English name, which is the substance's key, and the others, folded."""

_CLASSES: dict[str, tuple[str, ...]] = {
    "penicillins": ("penicillin", "penicillins", "penicilina", "penicilinas"),
    "cephalosporins": ("cephalosporin", "cephalosporins", "cefalosporina", "cefalosporinas"),
    "beta_lactams": ("beta lactam", "beta lactams", "beta lactamicos", "betalactamico", "betalactamicos"),
    "fluoroquinolones": ("fluoroquinolones", "fluoroquinolonas", "quinolones", "quinolonas"),
    "tetracyclines": ("tetracyclines", "tetraciclinas"),
    "sulfonamides": ("sulfonamides", "sulfonamidas", "sulfamides", "sulfamidas", "sulfas", "sulfa"),
    "aminoglycosides": ("aminoglycosides", "aminoglucosidos"),
    "macrolides": ("macrolides", "macrolidos"),
    "lincosamides": ("lincosamides", "lincosamidas"),
    "amphenicols": ("amphenicols", "anfenicoles"),
    "nsaids": ("nsaid", "nsaids", "aine", "aines"),
    "glucocorticoids": ("glucocorticoids", "glucocorticoides", "corticosteroids", "corticosteroides", "corticoides"),
    "opioids": ("opioids", "opioides"),
    "macrocyclic_lactones": ("macrocyclic lactones", "lactonas macrociclicas", "avermectins", "avermectinas"),
    "benzimidazoles": ("benzimidazoles", "bencimidazoles"),
    "isoxazolines": ("isoxazolines", "isoxazolinas"),
    "pyrethroids": ("pyrethroids", "piretroides"),
    "azole_antifungals": ("azoles", "azole antifungals", "antifungicos azolicos"),
}
_BRANDS: dict[str, str] = {
    "advantage": "imidacloprid",
    "advantage multi": "imidacloprid, moxidectin",
    "advantix": "imidacloprid, permethrin",
    "advocate": "imidacloprid, moxidectin",
    "apoquel": "oclacitinib",
    "baytril": "enrofloxacin",
    "bravecto": "fluralaner",
    "bravecto plus": "fluralaner, moxidectin",
    "capstar": "nitenpyram",
    "cerenia": "maropitant",
    "clavamox": "amoxicillin, clavulanic acid",
    "comfortis": "spinosad",
    "convenia": "cefovecin",
    "credelio": "lotilaner",
    "drontal": "praziquantel, pyrantel",
    "drontal plus": "praziquantel, pyrantel, febantel",
    "frontline": "fipronil",
    "ivomec": "ivermectin",
    "metacam": "meloxicam",
    "milbemax": "milbemycin oxime, praziquantel",
    "nexgard": "afoxolaner",
    "nexgard spectra": "afoxolaner, milbemycin oxime",
    "onsior": "robenacoxib",
    "panacur": "fenbendazole",
    "previcox": "firocoxib",
    "profender": "emodepside, praziquantel",
    "revolution": "selamectin",
    "rimadyl": "carprofen",
    "seresto": "imidacloprid, flumethrin",
    "simparica": "sarolaner",
    "simparica trio": "sarolaner, moxidectin, pyrantel",
    "synulox": "amoxicillin, clavulanic acid",
}
"""Brands that owners and old cards name, and the keys of what is in them, by their makers' labels."""

_WITHIN = {"penicillins": "beta_lactams", "cephalosporins": "beta_lactams"}

_CLASS_OF: dict[str, str] = {}
_KEYS: dict[str, tuple[str, ...]] = {name: (key,) for key, names in _CLASSES.items() for name in names}
_KEYS |= {brand: tuple(keys.split(", ")) for brand, keys in _BRANDS.items()}
for _class, _block in _SUBSTANCES.items():
    for _line in _block.strip().splitlines():
        _key, _, _names = _line.strip().partition(": ")
        _CLASS_OF[_key] = _class
        _KEYS |= dict.fromkeys((_key, *_names.split(", ")), (_key,))

_STEMS = (
    (re.compile(r"cill?ina?$"), "penicillins"),
    (re.compile(r"^(cef|ceph)(?!alea$|alic|alosp|aloz)"), "cephalosporins"),
    (re.compile(r"^sulfa(?!t)"), "sulfonamides"),
)
"""Stems of international names (WHO, *The use of stems in the selection of INN*, 2018), Spanish endings beside them;
what only sounds so (`cefalea`, `sulfato`) is left out."""

_BETWEEN = re.compile(r"\+|/|;|,(?!\d)|\b(?:y|e|con|and|with)\b", re.IGNORECASE)
_AMOUNTS = frozenset({"mg", "g", "mcg", "ug", "kg", "ml", "l", "cc", "ui", "iu", "x", "tab", "tableta", "tabletas"})
"""Words that are no part of what a drug is."""

_LONGEST = max(len(name.split()) for name in _KEYS)
"""Words of the longest name."""


def words_of(text: str) -> list[str]:
    """A text's words, folded, without what stands between them."""
    return re.findall(r"\w+", fold(text))


def substances_in(text: str) -> frozenset[str]:
    """The keys of the substances and classes that a text names.

    `Amoxicilina + ácido clavulánico 250 mg` names `amoxicillin` and `clavulanic acid`. The longest name wins:
    `penicilina G` is the substance, `penicilina` the class. A brand names all that is in it.
    """
    words = words_of(text)
    found: set[str] = set()
    at = 0
    while at < len(words):
        for length in range(_LONGEST, 0, -1):
            keys = _KEYS.get(" ".join(words[at : at + length]))
            if keys is not None:
                found.update(keys)
                at += length
                break
        else:
            found |= {word for word in words[at : at + 1] if _by_stem(word)}
            at += 1
    return frozenset(found)


def _by_stem(word: str) -> str | None:
    """The class that a substance's name tells by itself."""
    return next((group for stem, group in _STEMS if stem.search(word)), None)


def unknown_in(text: str) -> list[str]:
    """The parts of a drug's name, as they stand between signs such as `+`, in which no substance is known."""
    parts = (part.strip() for part in _BETWEEN.split(text))
    return [
        part
        for part in parts
        if not _AMOUNTS.issuperset(re.findall(r"[^\W\d]+", fold(part))) and not substances_in(part)
    ]


def includes(group: str, key: str) -> bool:
    """Whether `group` is the substance or class `key` itself, or a class that holds it."""
    return group == key or group in _classes(key)


def akin(one: str, other: str) -> bool:
    """Whether two substances or classes belong to one class."""
    return not _classes(one).isdisjoint(_classes(other))


def _classes(key: str) -> frozenset[str]:
    """The classes that hold a substance or class, itself where it is one."""
    nearest = _CLASS_OF.get(key) or (None if key in _CLASSES else _by_stem(key)) or key
    return frozenset({nearest, _WITHIN.get(nearest, nearest)}) - {"alone"}
