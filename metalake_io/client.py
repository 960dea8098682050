"""The documented functions 2.1 to 2.20, each a few lines over the modules that do the work.

What comes back as a dictionary by the documentation comes back so, refusals of the service and failures of single items
included; but the dictionary of uploads has no place for a reason, and one that cannot begin is ServiceRefused. All else
is raised: UsageError and InvalidInput before anything is sent, NotAuthorised, NetworkGaveUp,
LocalFailure; and, from functions without a documented result, ServiceRefused and PartlyDone. The reports behind the
dictionaries, with every file's fate, come from `files`, `annotations`, `metadata`, `downloads` and `trash`.

Where the documentation's tables, its examples and the official SDK name a parameter differently, both names work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import checks
from .annotation_functions import AnnotationFunctions
from .arguments import checked
from .collection_upload import AnnotationData
from .connecting import Connection, connect
from .downloads import Downloads
from .errors import ServiceRefused
from .jobs import Jobs
from .kinds import media_of
from .lookup_functions import LookUpFunctions
from .metadata_functions import MetadataFunctions
from .parts import Parts
from .results import DownloadReport
from .spellings import also_called, deprecated
from .transfer.sockets import LARGEST_REPLY
from .trash_functions import TrashFunctions

_FOLDERS = {"image": "metalake_images", "video": "metalake_videos", "other": "metalake_others"}


class MetaLakeClient(AnnotationFunctions, MetadataFunctions, TrashFunctions, LookUpFunctions):
    """A MetaLake, reached with a key and a secret at the address of its service.

    The service is asked at once whether it knows us. `prefix` is `/datalake/api` or, on newer servers, `/api`; None
    finds out. `timeout` shortens all waiting for the network, in seconds; nothing is
    tried again for longer than ten of them. `at_once` transfers run at the same time.
    `insecure_http` allows an unencrypted connection to another computer, `insecure_tls` one to a server whose
    certificate nobody checks. `proxies` and `ca` (a file of certificates) are as in requests; nothing is taken from the
    environment. `largest_reply`: bytes of one answer. `bwlimit`: bytes a second, sent and received, of all transfers
    together. May be used from several threads, and in a `with`.
    """

    def __init__(
        self,
        api_key: str,
        secret: str,
        url: str,
        *,
        prefix: str | None = None,
        timeout: float | None = None,
        at_once: int = 32,
        insecure_http: bool = False,
        proxies: Mapping[str, str] | None = None,
        ca: str | None = None,
        insecure_tls: bool = False,
        largest_reply: int = LARGEST_REPLY,
        bwlimit: float | None = None,
    ) -> None:
        connection = connect(
            api_key,
            secret,
            url,
            prefix=prefix,
            timeout=timeout,
            at_once=at_once,
            insecure_http=insecure_http,
            proxies=proxies,
            ca=ca,
            insecure_tls=insecure_tls,
            largest_reply=largest_reply,
            bwlimit=bwlimit,
        )
        self._adopt(connection, timeout)

    @classmethod
    def over(cls, connection: Connection, *, timeout: float | None = None) -> Self:
        """A client over a connection that is there already."""
        client = cls.__new__(cls)
        client._adopt(connection, timeout)
        return client

    def _adopt(self, connection: Connection, timeout: float | None) -> None:
        self._connection = connection
        self.parts = Parts(connection.service, timeout)
        self.files = self.parts.files
        self.annotations = self.parts.annotations
        self.metadata = self.parts.metadata
        self.downloads: Downloads = self.parts.downloads
        self.trash = self.parts.trash
        self.jobs: Jobs = self.parts.jobs
        self.collections = self.parts.collections

    def __repr__(self) -> str:
        return f"<MetaLakeClient {self._connection.service.base_url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections. The client can be used again, and opens new ones."""
        self._connection.close()

    @also_called(metadata_file_path="file_meta_data_json_path")
    @checked
    def upload_files_to_collection(
        self,
        path: str,
        content_type: str,
        collection_name: str,
        meta_data_object: Mapping[str, Any] | None = None,
        meta_data_override: bool = False,
        file_meta_data_json_path: str | None = None,
        storage_prefix_path: str | None = None,
        annotation_data: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """2.1: `{"is_success", "job_id", "collection_id"}`, and `"unique_name"` for a single file.

        `is_success` is true when every file, and its metadata and annotations, have arrived. `files.run` gives the
        report. `metadata_file_path`, the official SDK's word for `file_meta_data_json_path`, works too.
        """
        return self.files.run(
            Path(path),
            content_type,
            collection_name,
            metadata=meta_data_object,
            override_metadata=checks.flag(meta_data_override, "meta_data_override"),
            metadata_file=None if file_meta_data_json_path is None else Path(file_meta_data_json_path),
            storage_prefix=storage_prefix_path,
            annotation_data=AnnotationData.of(annotation_data),
        ).as_dict()

    @deprecated("upload_files_to_collection")
    @also_called(content_type="collection_type")
    @checked
    def file_upload(
        self,
        path: str,
        collection_type: int,
        collection_name: str,
        meta_data_object: Mapping[str, Any] | str = "",
        override: bool = False,
    ) -> dict[str, Any]:
        """2.18, deprecated: 2.1 with the collection's type as a number, 5 image, 4 video, 7 other.

        The documentation lets `override` replace files; as in the official SDK it replaces their metadata only.
        """
        fields: Any = "" if meta_data_object == "" else checks.metadata_object(meta_data_object)
        kind = media_of(collection_type)
        override = checks.flag(override, "override")
        uploads = self.parts.uploads
        return uploads.files(Path(path), kind, collection_name, metadata=fields, override_metadata=override).as_dict()

    @checked
    def download_collection(
        self,
        collection_id: str,
        annotation_type: str | None = "all",
        operation_id_list: Sequence[str] | None = None,
        custom_download_path: str | None = None,
        is_media_include: bool = True,
    ) -> None:
        """2.7: the annotation JSON of a collection, and its files in the folder `data` beside it.

        PartlyDone where a file is missing: the JSON is there all the same. `downloads.collection` gives the report.
        """
        self.downloads.collection(
            collection_id,
            _folder(custom_download_path),
            annotation_type=annotation_type or "all",
            operation_ids=list(operation_id_list or ()),
            media=checks.flag(is_media_include, "is_media_include"),
        ).raise_for_failures(f"download of the collection {collection_id}")

    @deprecated("download_collection")
    @also_called(operation_id="model_id")
    @checked
    def download_annotations(
        self,
        collection_id: str,
        model_id: str | None = None,
        custom_download_path: str | None = None,
        is_media_include: bool = True,
    ) -> None:
        """2.8, deprecated: 2.7 for one operation, or for what people annotated. `operation_id` works for `model_id`."""
        kind, operations = ("human", []) if model_id is None else ("all", [model_id])
        self.download_collection(collection_id, kind, operations, custom_download_path, is_media_include)

    @checked
    def get_downloadable_url(self, file_key: str) -> dict[str, Any]:
        """2.9: the service's answer, in which `url` is a signed address with a short life; do not keep it.

        `{"isSuccess": False, "message"}` where the service refuses.
        """
        try:
            return self.parts.urls.answer(file_key)
        except ServiceRefused as error:
            return error.as_dict()

    @checked
    def file_url(self, file_key: str) -> str:
        """The signed address alone. ServiceRefused."""
        return self.parts.urls.url(file_key)

    @also_called(metalake_filter="filter")
    @checked
    def download_files_from_metalake(
        self,
        item_type: str = "image",
        custom_download_path: str | None = "",
        page_index: int = 0,
        page_size: int = 20,
        query: str = "",
        filter: Mapping[str, Any] | None = None,
        sort_order: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """2.19: one page of files, `{"is_success", "message"}`; after the last page `No more pages to download`.

        Newest first unless `sort_order` says otherwise, as documented (the official SDK leaves it to the server).
        `metalake_filter`, the official SDK's word for `filter`, works too. `downloads.from_datalake` gives the report.
        """
        folder = _folder(custom_download_path, _FOLDERS.get(item_type, ""))
        return _listed(
            lambda: self.downloads.from_datalake(
                item_type,
                folder,
                page_index=page_index,
                page_size=page_size,
                query=query,
                filter=filter,
                sort_order=sort_order,
            )
        )

    @also_called(metalake_filter="filter")
    @checked
    def download_files_from_collection(
        self,
        collection_id: str,
        custom_download_path: str | None = "",
        page_index: int = 0,
        page_size: int = 20,
        query: str = "",
        filter: Mapping[str, Any] | None = None,
        sort_order: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """2.20: the same for one collection. `downloads.from_collection` gives the report."""
        return _listed(
            lambda: self.downloads.from_collection(
                collection_id,
                _folder(custom_download_path, collection_id),
                page_index=page_index,
                page_size=page_size,
                query=query,
                filter=filter,
                sort_order=sort_order,
            )
        )


def _folder(given: str | None, otherwise: str = "") -> Path:
    return Path(given) if given else Path.cwd() / otherwise


def _listed(download: Callable[[], DownloadReport]) -> dict[str, Any]:
    """The documented dictionary of 2.19 and 2.20, where a refusal is no exception."""
    try:
        return download().as_dict()
    except ServiceRefused as error:
        return {"is_success": False, "message": error.said or error.message}
