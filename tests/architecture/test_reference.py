"""The generated pages of docs/reference say what the code says."""

import pytest

from docs.generate_reference import FOLDER, pages


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text() == pages()[name], "run: make reference"
