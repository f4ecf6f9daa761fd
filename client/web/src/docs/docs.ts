/** The API's description, to be read and tried at /docs. The reader is part of the build: it comes from no other host. */

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

SwaggerUI({
  url: "/api/openapi.json",
  dom_id: "#reader",
  deepLinking: true,
  // Swagger's own validator would be asked over the network.
  validatorUrl: null,
});
