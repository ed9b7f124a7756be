"""Texts that sample records are made of; many are there because programs often read them wrongly."""

from __future__ import annotations

FIRST_NAMES = (
    *("Ada", "Zoë", "Łukasz", "Ольга", "محمد", "小龍", "Seán", "José", "Nguyễn", "Björk", "Ines", "Noah"),
    *("Priya", "Tom", "Anne-Marie", "D'Arcy", "Jörg", "Ελένη", "Mia 🦊", "Kofi", "Yūki", "Rita", "Bob", "Li"),
)
LAST_NAMES = (
    *(
        "Lovelace",
        "O'Brien",
        "Müller",
        "Smith, Jr.",
        "Nuñez",
        "Иванова",
        "王",
        "van der Berg",
        "İnce",
        "Çelik",
    ),
    *(
        "García Márquez",
        "Kowalski",
        "Ødegård",
        "Null",
        "True",
        "Test",
        "Nakamura",
        "Haddad",
        "de la Cruz",
        "Ng",
    ),
)
COMPANY_WORDS = (
    *("Acme", "Globex", "Überseehandel", "北京", "Ça Va", "Initech", "Löwen & Söhne", "Δelta", "Blue Ocean"),
    *('"Quoted"', "Back\\slash", "Umbrella", "Stark", "Wonka", "Soylent", "Hooli", "Café Noir", "N/A"),
)
COMPANY_ENDINGS = ("Inc.", "GmbH", "S.A.", "Ltd", "LLC", "株式会社", "AB", "& Co. KG", "Group", "")
TITLES = ("CEO", "Geschäftsführer", "Head of R&D", "VP, Sales", "", "Ingénieur", "Owner", "経理", "Buyer 🛒")
PREFIXES = ("Mr", "Ms", "Dr.", "Prof. Dr.", "")
SUFFIXES = ("Jr.", "III", "PhD", "")
STREETS = (
    "1 Main St",
    "Hauptstraße 12",
    "rue de l'Église 3\nBât. B",
    "301 Howard St Ste 600",
    "",
    "вул. Сумська 7",
)
CITIES = (
    ("San Francisco", "CA", "94105", "US"),
    ("Zürich", "ZH", "8001", "CH"),
    ("São Paulo", "SP", "01310-100", "BR"),
    ("København", None, "1050", "DK"),
    ("東京", "東京都", "100-0001", "JP"),
    ("London", None, "SW1A 1AA", "GB"),
    ("Savannah", "Georgia", "31410", "United States"),
    ("Nowhere", "", "", ""),
)
DETAILS = (
    None,
    "",
    "Met at the fair. Call back in spring.",
    "Line one\nLine two\r\nLine three\n\n- a list\n- of things",
    "<p>Likes <b>HTML</b> &amp; entities</p>",
    "Party 🎉🎈 on the 👨‍👩‍👧‍👦 floor ☎️",
    "He said \"yes\" \\ she said 'no'\t(tabbed)",
    "Предпочитает письма. Не звонить!",  # noqa: RUF001
    "separators \u2028 and \u2029 inside",
    "long text " * 40,
    "  padded  ",
    "null",
)
NOTES = (
    "Called, no answer.",
    "Sent the offer 📎\n\nBest,\nAda",
    "",
    "Meeting notes:\n1. price\n2. date\n3. 契約",
    "Left a voice mail; <br> will try again",
    "Re: Re: Fwd: invoice " * 12,
    "Naïve question about façade",
)
DOMAINS = ("example.com", "example.org", "mail.example.net", "bücher.example", "sub.domain.example.co.uk")
SOCIAL_CATEGORIES = (
    *("linkedin", "twitter", "googleplus", "facebook", "youtube"),
    *("quora", "foursquare", "klout", "gravatar", "other"),
)
DEALS = ("Renewal", "25 Office Chairs", "Größerer Auftrag", "Pilot 🚀", "Site licence", "更新", "Upsell (Q4)")
PROJECTS = ("Onboarding", "Relaunch", "Umzug", "Migration", "Kick-off 🏁", "Audit / 2nd pass")
TASKS = (
    "Call back",
    "Send contract",
    "Angebot nachfassen",
    "Follow up",
    "Prepare demo 💻",
    "Rechnung prüfen",
)
TAG_WORDS = (
    "vip",
    "cold",
    "Messe",
    "newsletter",
    "prio A",
    "partner",
    "été",
    "重要",
    "no-mail",
    "😀",
    "a,b",
    "x/y",
)
CUSTOM_FIELD_NAMES = (
    ("Shoe size", "String"),
    ("Background", "Text"),
    ("Homepage", "URL"),
    ("Region", "Dropdown"),
    ("Interests", "MultiSelect"),
    ("Birthday", "Date"),
    ("Newsletter", "Checkbox"),
    ("Score", "Float"),
    ("Budget", "Currency"),
    ("Discount", "Percentage"),
    ("Partner companies", "Connect"),
    ("Partner people", "Connect"),
    ("Region", "String"),
    ("Region", "Float"),
    ("Name", "String"),
    ("Größe (m²) – Büro №1", "Float"),  # noqa: RUF001
    ("顧客ランク", "Dropdown"),
    ("🎂", "Date"),
    ("A very long field name " + "that goes on and on " * 8 + "until it has 200", "Text"),
    ("shoe size", "Percentage"),
    ("  Padded  ", "String"),
    ("date_modified", "Date"),
    ("Id", "String"),
    ("Contract signed?", "Checkbox"),
    ("Tags", "MultiSelect"),
    ("Fields", "String"),
    ("fields!", "Float"),
    ("A very long field name " + "that goes on and on " * 8 + "and then it parts", "String"),
)
