"""What a client consists of: the modules that do the work, over one service."""

from __future__ import annotations

from .addresses import Urls
from .annotations import AnnotationUploads
from .collection_upload import CollectionUpload
from .collections import Collections
from .downloads import Downloads
from .jobs import Jobs
from .listing import Listing
from .metadata import MetadataUploads
from .service import Service
from .transfer.stack import Timeouts
from .trash import Trash
from .uploads import Uploads


class Parts:
    def __init__(self, service: Service, timeout: float | None = None) -> None:
        idle = Timeouts(timeout).storage
        self.service = service
        self.uploads = Uploads(service, idle=idle)
        self.files = CollectionUpload(service, self.uploads)
        self.annotations = AnnotationUploads(service)
        self.metadata = MetadataUploads(service)
        self.downloads = Downloads(service, idle=idle)
        self.trash = Trash(service)
        self.jobs = Jobs(service)
        self.collections = Collections(service)
        self.listing = Listing(service)
        self.urls = Urls(service)
