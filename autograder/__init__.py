"""What instructors and maintainers run: build the notebooks from their cases, test them, release and grade them."""

import sys

# With nbformat comes jsonschema, and it loads, where it finds it, a grammar of international addresses: one and a half seconds
# of each process, for a format that no notebook's schema asks for. It goes on without what it does not find.
sys.modules.setdefault("rfc3987_syntax", None)
