"""Fields as attributes: `track.gain_db` reads the document, `track.gain_db = -6` is an edit.

The classes of `entities` and `settings` are the client's copy of the server's schema: a field's name is its key in
the document (with a trailing underscore where Python wants one: `clip.in_`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Generic, Self, TypeVar, overload

from backline.document import Document
from backline.errors import InvalidValue, NoSuchEntity
from backline.specs import MISSING, Spec

T = TypeVar("T")


class Field(Generic[T]):
    """One key of a Map. `fixed` fields are set when the entity is made, `server` ones by the server alone."""

    __slots__ = ("_server", "fixed", "key", "spec")

    def __init__(self, spec: Spec[T], *, fixed: bool = False, server: bool = False) -> None:
        self.spec, self.fixed, self._server, self.key = spec, fixed, server, ""

    def __set_name__(self, owner: type["Fields"], name: str) -> None:
        self.key = name.removesuffix("_")

    @property
    def server(self) -> bool:
        """Whether only the server writes it."""
        return self._server

    @overload
    def __get__(self, holder: None, owner: type["Fields"]) -> Self: ...

    @overload
    def __get__(self, holder: "Fields", owner: type["Fields"]) -> T: ...

    def __get__(self, holder: "Fields | None", owner: type["Fields"]) -> Self | T:
        return self if holder is None else holder.read(self)

    def __set__(self, holder: "Fields", value: T) -> None:
        if self.fixed or self._server:
            why = "it is set when the entity is made" if self.fixed else "only the server writes it"
            raise InvalidValue(holder.place(self.key), value, why)
        holder.write({self.key: value})


class Fields:
    """Something in the document that has fields: an entity, or a root of settings (whose `id` is "")."""

    root: ClassVar[str]
    _fields: ClassVar[Mapping[str, Field[object]]] = MappingProxyType({})

    def __init__(self, document: Document, id: str) -> None:
        self._document, self._id = document, id

    def __init_subclass__(cls) -> None:
        found = (value for each in reversed(cls.__mro__) for value in vars(each).values())
        cls._fields = MappingProxyType({field.key: field for field in found if isinstance(field, Field)})

    @property
    def document(self) -> Document:
        """The document it stands in."""
        return self._document

    @classmethod
    def fields(cls) -> Mapping[str, Field[object]]:
        """Every field by its key in the document."""
        return cls._fields

    def read(self, field: Field[T]) -> T:
        """A field's value, or its default. Raises NoSuchEntity."""
        document, root, id = self._document, self.root, self._id
        stored = document.value(root, id, field.key)
        if stored is MISSING and id and not document.has(root, id):
            raise NoSuchEntity(root, id)
        return field.spec.read(stored, id)

    def write(self, values: dict[str, object]) -> None:
        """Several fields in one transaction. Raises InvalidValue, NoSuchEntity, NotAllowed."""
        fields = self.fields()
        accepted = {key: self.accepted(fields, key, value) for key, value in values.items()}
        with self._document.transaction() as draft:
            for key, value in accepted.items():
                draft.set(self.root, self._id, key, value)

    def accepted(self, fields: Mapping[str, Field[object]], key: str, value: object) -> object:
        """The value as it is stored. Raises InvalidValue."""
        return accepted(fields, self.place(key), key, value)

    def place(self, key: str) -> str:
        """Where a field stands: `root/id/key`, `root/key` for settings."""
        return f"{self.root}/{self._id}/{key}" if self._id else f"{self.root}/{key}"

    def json(self) -> dict[str, object]:
        """Every field as a reader sees it, by its key."""
        return {key: self.read(field) for key, field in self.fields().items()}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._id}>".replace(" >", ">")


def accepted(fields: Mapping[str, Field[object]], place: str, key: str, value: object) -> object:
    """The value of a field as it is stored. Raises InvalidValue, also for a key that is none of `fields`."""
    if key not in fields:
        raise InvalidValue(place, value, f"there is no such field; there are {', '.join(fields)}")
    try:
        return fields[key].spec.accept(value)
    except ValueError as error:
        raise InvalidValue(place, value, str(error)) from None
