"""Accounts of a run: one for each service, with its settings, its key outside the campaign and its money."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from toy_services import Files, Make, ToyRemote, reopened, toy_campaigns, toy_service

from selector import Campaign
from selector.cli._describe_generated import describe_generated
from selector.domain import InputError, MissingPart
from selector.net import Service
from selector.registry import BUILTIN_GENERATORS
from selector.workspace.plug_ins import idle_services
from selector.workspace.services import Accounts, service_of


class OtherKind(ToyRemote):
    """A generator whose usual service has another address."""

    usual_service = Service("otherland", "http://other.invalid", key_env="OTHER_KEY")


@pytest.fixture
def make(toys: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, contest_files: Files) -> Make:  # noqa: ARG001
    monkeypatch.setitem(BUILTIN_GENERATORS, "other_kind", f"{__name__}:OtherKind")
    return toy_campaigns(monkeypatch, tmp_path, contest_files)


def service(campaign: Campaign, name: str) -> Service:
    found = service_of(campaign._ws, name)
    assert found is not None
    return found


def accounts(campaign: Campaign) -> Accounts:
    return Accounts(campaign._ws, threading.Event())


def test_a_generator_works_at_its_usual_service(make: Make) -> None:
    campaign = make({"toy_remote": 1, "toy": 1})
    assert service(campaign, "toy_remote") == ToyRemote.usual_service
    assert service_of(campaign._ws, "toy") is None
    assert accounts(campaign).of("toy") is None


def test_what_a_table_sets_goes_over_the_usual(make: Make) -> None:
    campaign = make({"toy_remote": 1}, services={"toyland": {"running": 2, "budget": 3.0, "currency": "EUR"}})
    found = service(campaign, "toy_remote")
    assert (found.running, found.budget, found.currency) == (2, 3.0, "EUR")
    assert (found.name, found.base_url) == ("toyland", ToyRemote.usual_service.base_url)


def test_a_generator_under_a_name_of_its_own_works_at_the_service_that_it_names(make: Make) -> None:
    campaign = make(
        {"mine": 2},
        generators={"mine": {"kind": "toy_remote", "service": "second"}},
        services={"second": {"base_url": "https://second.invalid"}},
    )
    assert service(campaign, "mine").base_url == "https://second.invalid"
    assert campaign.generate().made == 2
    assert len(toy_service("second").submits) == 2


@pytest.mark.parametrize("tables", [{}, {"secnd": {"running": 1}}])
def test_a_service_that_there_is_not_is_an_input_error(make: Make, tables: dict[str, Any]) -> None:
    campaign = make({"toy_remote": 1}, generators={"toy_remote": {"service": "second"}}, services=tables)
    for verb in (campaign.generate, lambda: campaign.estimate()):
        with pytest.raises(InputError, match=r"there is no \[services.second\]") as raised:
            verb()
        assert ("secnd" if tables else "toyland") in str(raised.value)


def test_all_services_that_are_built_in_are_told(make: Make) -> None:
    campaign = make({"toy_remote": 1}, generators={"toy_remote": {"service": "qqqqqqqq"}})
    with pytest.raises(InputError, match=r"known: toyland; built in for other kinds: .*dashscope.*openai"):
        campaign.generate()


def test_a_missing_key_file_is_named_as_the_configuration_has_it(make: Make) -> None:
    campaign = make({"toy_remote": 1}, services={"toyland": {"key_path": "~/nokey/here"}})
    with pytest.raises(MissingPart, match=r"the file ~/nokey/here \(key_path\) is not there or empty"):
        service(campaign, "toy_remote").key()


def test_the_usual_service_may_be_named(make: Make) -> None:
    campaign = make({"toy_remote": 1}, generators={"toy_remote": {"service": "toyland"}})
    assert campaign.generate().made == 1


def test_a_generator_of_this_machine_takes_no_service(make: Make) -> None:
    campaign = make({"toy": 1}, generators={"toy": {"service": "toyland"}})
    with pytest.raises(InputError, match="'toy' works on this machine: leave out its setting 'service'"):
        campaign.generate()


def test_generators_of_one_service_share_its_account_and_others_do_not(make: Make) -> None:
    generators = {
        "a": {"kind": "toy_remote"},
        "b": {"kind": "toy_remote", "shade": 20},
        "c": {"kind": "toy_remote", "service": "second"},
    }
    made = accounts(make({"a": 1, "b": 1, "c": 1}, generators=generators, services={"second": {"running": 1}}))
    assert made.of("a") is made.of("b") is not made.of("c")
    assert {account.service.name for account in made.all()} == {"toyland", "second"}


def test_two_kinds_do_not_share_an_account_whose_usual_address_is_that_of_one(make: Make) -> None:
    generators = {"other_kind": {"service": "shared"}, "toy_remote": {"service": "shared"}}
    plan = {"toy_remote": 1, "other_kind": 1}
    campaign = make(plan, generators=generators, services={"shared": {"running": 1}})
    with pytest.raises(InputError, match=r"their usual base_url differ: set it in \[services.shared\]"):
        campaign.generate()
    set_here = {"shared": {"base_url": "https://one.invalid", "key_env": "ONE_KEY"}}
    assert reopened(campaign, services=set_here).generate().made == 2


@pytest.mark.parametrize("place", ["key.txt", "inputs/key.txt", "./a/../key.txt", "ABSOLUTE"])
def test_a_key_inside_the_campaign_is_refused(make: Make, place: str) -> None:
    campaign = make({"toy_remote": 1})
    if place == "ABSOLUTE":
        place = str(campaign.folder.resolve() / "key.txt")
    again = reopened(campaign, services={"toyland": {"key_path": place}})
    with pytest.raises(InputError, match="key_path must lie outside of the campaign"):
        again.generate()
    assert toy_service().submits == []


def test_a_link_into_the_campaign_is_inside(make: Make, tmp_path: Path) -> None:
    campaign = make({"toy_remote": 1})
    (tmp_path / "link").symlink_to(campaign.folder)
    again = reopened(campaign, services={"toyland": {"key_path": "../link/key.txt"}})
    with pytest.raises(InputError, match="outside"):
        again.generate()


def test_a_key_file_is_seen_from_the_campaign_and_read_without_line_breaks(make: Make, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("sk-test-1234\n", encoding="utf-8")
    campaign = make({"toy_remote": 1}, services={"toyland": {"key_path": "../key.txt"}})
    assert service(campaign, "toy_remote").key() == "sk-test-1234"


def test_an_account_knows_what_earlier_runs_have_spent_at_its_service(make: Make) -> None:
    generators = {"mine": {"kind": "toy_remote", "service": "second", "price": 2.0}}
    campaign = make({"toy_remote": 3, "mine": 1}, generators=generators, services={"second": {"running": 1}})
    campaign.generate()
    made = accounts(reopened(campaign))
    spent = {name: account.spending.spent for name in ("toy_remote", "mine") if (account := made.of(name))}
    assert spent == {"toy_remote": 1.5, "mine": 2.0}


def test_what_a_service_is_does_not_change_what_was_made(make: Make) -> None:
    campaign = make({"toy_remote": 2})
    campaign.generate()
    again = reopened(campaign, services={"toyland": {"running": 1, "budget": 9.0, "base_url": "https://moved.invalid"}})
    assert again.generate().already == 2


def test_a_service_that_no_generator_names_is_told_with_the_near_name(make: Make) -> None:
    tables = {"toylamd": {"running": 1}, "toyland": {"running": 1}, "zzz": {"running": 1}}
    campaign = make({"toy_remote": 1, "toy": 1}, services=tables)
    idle = idle_services(campaign._ws)
    assert set(idle) == {"toylamd", "zzz"}
    assert "did you mean 'toyland'?" in idle["toylamd"] and "did you mean" not in idle["zzz"]
    told = {c.subject for c in campaign.doctor() if not c.ok}
    assert {"services.toylamd", "services.zzz"} <= told and "services.toyland" not in told
    assert campaign.estimate().idle_services == idle
    assert "services.zzz: no generator of this campaign works there: name it" in describe_generated(campaign.generate())


@pytest.mark.parametrize("named", ["second", "toyland"])
def test_a_service_is_used_also_by_a_generator_that_cannot_work_as_it_is(make: Make, named: str) -> None:
    own = {"toy_remote": {"service": "second"}} if named == "second" else {}
    campaign = make({"toy_remote": 1}, generators=own, services={named: {"key_path": "inside.txt"}})
    assert idle_services(campaign._ws) == {}


def test_a_built_in_service_that_is_not_used_is_no_slip_of_another_name(make: Make) -> None:
    campaign = make({"toy_remote": 1}, services={"otherland": {"running": 1}})
    assert "did you mean" not in idle_services(campaign._ws)["otherland"]
