"""Questions that must stay fast however large the store grows."""

from sqlalchemy import ColumnElement, Select, select, union_all

from cheng.infrastructure.tables import cases


def cases_by_due(departments: list[str], person: str, limit: int, state: str = "open") -> Select[tuple[str, int]]:
    """(id, due) of the cases of these departments or this person, most urgent first, those without a limit last.

    One short walk of an index per department and one for the person, merged: the work does not grow with the
    number of cases. Join `cases` on id for the rest of a row.
    """

    def walk(whose: ColumnElement[bool]) -> Select[tuple[str, int]]:
        query = select(cases.c.id, cases.c.due).where(cases.c.state == state, whose)
        return query.order_by(cases.c.due.nulls_last(), cases.c.id).limit(limit)

    walks = [walk(cases.c.department == department) for department in departments]
    walks.append(walk((cases.c.assignee == person) & cases.c.department.not_in(departments)))
    merged = union_all(*(select(each.subquery()) for each in walks)).subquery()
    return select(merged.c.id, merged.c.due).order_by(merged.c.due.nulls_last(), merged.c.id).limit(limit)
